"""What is under test: the LSTMs that can be verified, and how each is loaded and run."""
