"""Check one requirement: compare results, search for a failing case, reach a verdict."""
