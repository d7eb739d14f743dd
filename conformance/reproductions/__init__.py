"""What each failure leaves: a script that shows the fault, a bug report, and the case to replay."""

ROOT = ".lstm-conformance"
"""The default folder for what failures leave, relative to the folder in which a run starts."""
