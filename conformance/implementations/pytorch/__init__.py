"""Torch modules under test: adapters that build, call, differentiate and probe them."""
