"""The suite as functions: what the command does, called from Python, also in a notebook."""
