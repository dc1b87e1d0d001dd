"""A callback that resolves a future, for code that awaits the result of something with callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


def resolver(future: asyncio.Future[T]) -> Callable[[T | Exception], None]:
    """Returns a callback that gives ``future`` its result or its exception, unless its task was cancelled."""
    return _Resolver(future)


class _Resolver(Generic[T]):
    """Forgets its future once it is called.

    The frames in the traceback of an exception hold the callback. If that held the future, which holds the exception,
    each failed call would leave a reference cycle.
    """

    def __init__(self, future: asyncio.Future[T]) -> None:
        self._future: asyncio.Future[T] | None = future

    def __call__(self, result: T | Exception) -> None:
        future, self._future = self._future, None
        if future is None or future.done():
            return
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
