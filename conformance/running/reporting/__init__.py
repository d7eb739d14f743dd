"""Reports of a run: as JSON, and in the terminal."""
