"""Runs of background jobs: how often each succeeded and failed, how long it took, when it succeeded last."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from grapevine.errors import StoreError

JOBS: Final = (
    "housekeeping", "verdicts", "retention", "page joins",
    "classes of answers", "link expiry", "spikes", "webhooks", "followed links",
    "older builds", "widget files", "key usage", "live keys", "live watches", "site deletions", "feeds", "webmentions",
    "silences",
)  # fmt: skip
"""The names of all jobs, as the log names them."""

T = TypeVar("T")


class JobRuns:
    """The runs of each job in this process. ``store_errors`` counts those that the store made fail."""

    def __init__(self) -> None:
        self.succeeded = Counter(dict.fromkeys(JOBS, 0))
        self.failed = Counter(dict.fromkeys(JOBS, 0))
        self.seconds = dict.fromkeys(JOBS, 0.0)
        self.last_seconds = dict.fromkeys(JOBS, 0.0)
        self.last_success = dict.fromkeys(JOBS, 0.0)
        self.store_errors = 0

    def timed(self, name: str, work: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        """Returns ``work`` so that each call of it counts as a run of the job ``name``, one of ``JOBS``."""
        if name not in self.seconds:
            raise ValueError(f"{name!r} is none of JOBS")

        async def run() -> T:
            started = time.perf_counter()
            try:
                result = await work()
            except Exception as error:
                self.failed[name] += 1
                self.store_errors += isinstance(error, StoreError)
                raise
            finally:
                self.last_seconds[name] = time.perf_counter() - started
                self.seconds[name] += self.last_seconds[name]
            self.succeeded[name] += 1
            self.last_success[name] = time.time()
            return result

        return run
