"""``python -m society`` is `society`."""

import sys

from society.cli import main

if __name__ == "__main__":
    sys.exit(main())
