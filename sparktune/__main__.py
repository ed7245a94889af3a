"""`python -m sparktune`, the same as the command `sparktune`."""

import sys

from sparktune.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
