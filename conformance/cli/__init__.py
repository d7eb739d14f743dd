"""The command ``lstm-conformance``."""
