"""What is left of each failure: a script that shows it, a bug report, and the case to replay."""
