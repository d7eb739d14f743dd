"""Divides the work of a run: among shards, or so that it fits a time."""
