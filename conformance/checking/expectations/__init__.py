"""Expected failures: entries of a file, where each applies, and what it makes of a verdict."""
