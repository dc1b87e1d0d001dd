"""The interpreter's settings for a process that serves: event loop, garbage collector, thread switches."""

from __future__ import annotations

import gc
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Final

_YOUNG: Final = 20_000
_OLDER: Final = 50
_SWITCH_SECONDS: Final = 0.000_2


def loop_factory() -> Callable[[], AbstractEventLoop] | None:
    """Returns the function that makes a uvloop; None, for asyncio's loop, without uvloop (Windows, PyPy)."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def tune_interpreter() -> None:
    """Makes garbage collection rare and thread switches quick.

    A request makes many small objects and no reference cycles: the collector's default, a pass every 700 objects, costs
    a seventh of the time and frees nothing. Objects that exist after the start are frozen, so no pass visits them. That
    there are no cycles is a matter of care, of which ``tests/serving/test_reference_cycles`` takes its part: one a
    request would wait for a pass, and what has lived through two passes waits for some fifty million new objects.
    The thread that commits must not wait the default 5 ms for the interpreter's lock.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)
    sys.setswitchinterval(_SWITCH_SECONDS)
