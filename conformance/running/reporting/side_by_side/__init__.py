"""Several reports: what differs between two, and all of them in one table."""
