"""Plain numbers: histograms, tallies of requests, runs of jobs."""

from __future__ import annotations

import pytest

from grapevine.errors import StoreError
from grapevine.telemetry.histogram import SECONDS, Histogram
from grapevine.telemetry.job_runs import JobRuns
from grapevine.telemetry.request_tallies import RouteTally

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("value", "bucket"), [(0.0, 0), (1.0, 0), (1.5, 1), (5.0, 1), (5.1, 2), (1e9, 2), (float("inf"), 2)]
)
def test_a_bucket_holds_what_is_at_most_its_bound(value: float, bucket: int) -> None:
    histogram = Histogram((1.0, 5.0))
    histogram.observe(value)
    assert histogram.buckets.index(1) == bucket
    assert (histogram.count, histogram.cells()) == (1, [*histogram.buckets, value])


def test_bounds_rise() -> None:
    assert list(SECONDS) == sorted(set(SECONDS))


def test_a_redirect_from_memory_counts_in_the_lowest_bucket() -> None:
    tally = RouteTally()
    tally.redirects += 1
    tally.note(404, 0.3)
    assert tally.statuses == [0, 0, 1, 1, 0]
    assert (tally.cells()[0], tally.count, tally.sum) == (1, 2, 0.3)
    assert sum(tally.cells()[:-1]) == 2


async def test_each_run_of_a_job_counts_once(anyio_backend: str) -> None:
    assert anyio_backend == "asyncio"
    jobs, errors = JobRuns(), [None, StoreError("away"), ValueError("a bug"), None]

    async def work() -> int:
        error = errors.pop(0)
        if error is not None:
            raise error
        return len(errors)

    run = jobs.timed("spikes", work)
    assert jobs.last_success["spikes"] == 0
    assert await run() == 3
    first = jobs.last_success["spikes"]
    assert first > 0
    for error in (StoreError, ValueError):
        with pytest.raises(error):
            await run()
    assert jobs.last_success["spikes"] == first
    await run()
    assert (jobs.succeeded["spikes"], jobs.failed["spikes"], jobs.store_errors) == (2, 2, 1)
    assert jobs.seconds["spikes"] > 0
    assert sum(jobs.succeeded.values()) == 2


def test_a_job_has_a_name_that_is_listed() -> None:
    async def work() -> None:
        pass

    with pytest.raises(ValueError, match="none of JOBS"):
        JobRuns().timed("another", work)
