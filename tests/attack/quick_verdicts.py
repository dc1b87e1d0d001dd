"""``tests.support.probed_server`` whose verdicts come within seconds: half a second of grace instead of ten minutes.

The constants are changed before the modules that take them over are imported.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

GRACE_MS: Final = 500
EVERY_SECONDS: Final = 0.5


def main(*arguments: str) -> int:
    """Runs the server."""
    setattr(import_module("grapevine.writer.bursts"), "GRACE_MS", GRACE_MS)  # noqa: B010  # other modules copy it
    setattr(import_module("grapevine.writer.verdict_job"), "VERDICT_SECONDS", EVERY_SECONDS)  # noqa: B010
    served: int = import_module("tests.support.probed_server").main(*arguments)
    return served


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
