"""A callback that resolves a future, for code that awaits the result of something with callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


def resolver(future: asyncio.Future[T]) -> Callable[[T | Exception], None]:
    """Returns a callback that gives ``future`` its result or its exception, unless its task was cancelled."""
    return partial(_resolve, future)


def _resolve(future: asyncio.Future[T], result: T | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
