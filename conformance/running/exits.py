"""How the command ends: its exit status."""

CONFORMANT, NOT_CONFORMANT, USAGE, BROKEN = range(4)
INTERRUPTED = 130
