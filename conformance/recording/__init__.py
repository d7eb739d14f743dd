"""Recordings of what is done with a case, as steps that a script can repeat."""
