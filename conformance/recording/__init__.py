"""What was done with a case, as steps that a script can repeat."""
