"""``python -m conformance``, which is the command ``lstm-conformance``."""

import sys

from conformance.cli.command import main

if __name__ == "__main__":
    sys.exit(main())
