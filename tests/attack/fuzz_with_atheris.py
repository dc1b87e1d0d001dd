"""The parsers of ``test_fuzz`` under atheris, which looks for inputs that reach new code:
``python -m tests.attack.fuzz_with_atheris 3600``, where ``pip install atheris`` works. It ends at the first error that
is not a stated one, with the input in a file, or after so many seconds.
"""

from __future__ import annotations

import sys
from importlib import import_module


def main(seconds: str) -> None:
    """Fuzzes all targets, chosen by the first byte of each input."""
    atheris = import_module("atheris")  # no dependency: it is not there for every Python
    with atheris.instrument_imports(include=["grapevine"]):
        targets = list(import_module("tests.attack.test_fuzz").TARGETS.items())

    def one(data: bytes) -> None:
        if data:
            name, (_, check) = targets[data[0] % len(targets)]
            check(data[1:] if name == "bodies" else data[1:].decode("utf-8", "replace"))

    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-print_final_stats=1"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
