"""``python -m grapevine`` is ``grapevine``."""

import sys

from grapevine.cli import main

if __name__ == "__main__":
    sys.exit(main())
