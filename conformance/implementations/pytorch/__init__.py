"""Torch modules under test: how they are built, called, differentiated and probed."""
