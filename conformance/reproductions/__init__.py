"""What is left of each failure: a script that shows it, a bug report, and the case to replay."""

ROOT = ".lstm-conformance"
"""The folder, of the one a run starts in, where that is left unless said otherwise."""
