"""Every metric of ``/metrics`` that each process counts: its name, type, labels and where its numbers are.

Labels are closed sets: no site, page, address or path. docs/metrics.md has the same list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, Literal, NamedTuple

from grapevine.collect.api import EVENT_CALLS
from grapevine.domain.enums import BOUND_KIND_NAMES, DROP_REASONS
from grapevine.live.limits import MOST_STREAMS
from grapevine.mentions.checking import Result
from grapevine.mentions.receiving import RECEIVED
from grapevine.telemetry.bounds import BOUNDS
from grapevine.telemetry.histogram import SECONDS, Histogram
from grapevine.telemetry.job_runs import JOBS
from grapevine.telemetry.request_tallies import ROUTES, STATUSES
from grapevine.web.state import AppState
from grapevine.webhooks.delivery import RESULTS
from grapevine.webhooks.subscriptions import OF_BATCHES
from grapevine.writer.recorder import BATCH_EVENTS

Key = tuple[str, ...]
"""The values of a metric's labels."""


class Family(NamedTuple):
    """One metric. ``read`` returns its numbers in the order of ``keys``; a histogram has those of ``Histogram.cells``.

    The numbers of several workers are added up, or where ``newest`` the highest is taken. A gauge is what it is now:
    the number of a dead worker does not count.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    read: Callable[[AppState], Sequence[float]]
    labels: Key = ()
    keys: Sequence[Key] = ((),)
    bounds: tuple[float, ...] = ()
    newest: bool = False

    @property
    def width(self) -> int:
        """How many numbers each key has."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


def _named(values: Mapping[Any, float], names: Sequence[str]) -> list[float]:
    return [float(values[name]) for name in names]


def _keys(*values: Sequence[str]) -> list[Key]:
    found: list[Key] = [()]
    for each in values:
        found = [(*key, value) for key in found for value in each]
    return found


def _bound_hits(state: AppState) -> list[float]:
    recorder = state.writer.recorder
    hits = {
        **state.telemetry.bound_hits,
        **state.rate_limit.hits,
        **state.live.refused,
        "queue": state.writer.refused_by_queue,
        "erasures": state.eraser.refused,
        "page-checks": state.page_checks.refused,
        "mails": state.mail_rewrites.refused,
        "agents": state.agent_readings.refused,
        "campaigns": state.campaign_summaries.refused,
        "payouts": state.payout_readings.refused,
        **{f"names-{name}": recorder.exceeded[kind] for kind, name in BOUND_KIND_NAMES.items()},
    }
    return _named(hits, _BOUNDS)


def _responses(state: AppState) -> list[float]:
    return list(chain.from_iterable(state.telemetry.requests[route].statuses for route in ROUTES))


def _latencies(state: AppState) -> list[float]:
    return list(chain.from_iterable(state.telemetry.requests[route].cells() for route in ROUTES))


def _store_errors(state: AppState) -> list[float]:
    of_requests = state.collect_api.store_errors + state.telemetry.store_errors_of_requests
    return [state.writer.recorder.store_errors, state.telemetry.jobs.store_errors, of_requests]


def _job_runs(state: AppState) -> list[float]:
    jobs = state.telemetry.jobs
    return [float(runs[name]) for name in JOBS for runs in (jobs.succeeded, jobs.failed)]


def _histogram(name: str, text: str, found: Callable[[AppState], Histogram], bounds: tuple[float, ...]) -> Family:
    return Family(name, "histogram", text, lambda state: found(state).cells(), bounds=bounds)


_BOUNDS: Final = tuple(BOUNDS)
_CALLS: Final = tuple(dict.fromkeys(EVENT_CALLS.values()))
_ATTEMPTS: Final = tuple(result.value for result in Result)
_JOB_KEYS: Final = _keys([name.replace(" ", "-") for name in JOBS])

FAMILIES: Final[Sequence[Family]] = (
    Family(
        "grapevine_events_accepted",
        "counter",
        "Events that were stored, by call; short links record unfurls, too. A repeat counts as dropped.",
        lambda state: _named(state.collect_api.accepted, _CALLS),
        ("call",),
        _keys(_CALLS),
    ),
    Family(
        "grapevine_events_dropped",
        "counter",
        "Reports that were not stored, by reason.",
        lambda state: _named(state.collect_api.drops.totals, DROP_REASONS),
        ("reason",),
        _keys(DROP_REASONS),
    ),
    Family(
        "grapevine_queue_events",
        "gauge",
        "Events that wait to be stored.",
        lambda state: [state.writer.depth],
    ),
    Family(
        "grapevine_queue_events_limit",
        "gauge",
        "The most events that may wait; of one site, at most half of this.",
        lambda state: [state.writer.waiting.most],
    ),
    Family(
        "grapevine_queue_bytes",
        "gauge",
        "Bytes of the requests that wait to be stored.",
        lambda state: [state.writer.waiting.size],
    ),
    Family(
        "grapevine_queue_bytes_limit",
        "gauge",
        "The most bytes that may wait; of one site, at most half of this.",
        lambda state: [state.writer.waiting.most_bytes],
    ),
    _histogram(
        "grapevine_batch_events",
        "Events that were stored in one transaction; 0 where it stored drops alone.",
        lambda state: state.writer.recorder.batch_events,
        BATCH_EVENTS,
    ),
    _histogram(
        "grapevine_batch_seconds",
        "Time of one transaction of events, its commit included.",
        lambda state: state.writer.recorder.batch_seconds,
        SECONDS,
    ),
    _histogram(
        "grapevine_commit_seconds",
        "Time of the commit alone: the disk, or the network and the disk behind it.",
        lambda state: state.writer.recorder.commit_seconds,
        SECONDS,
    ),
    Family(
        "grapevine_http_request_seconds",
        "histogram",
        "Time from the head of a request to the first byte of its answer, by class of route. A short link that is "
        "answered from memory is not timed and counts as 0.",
        _latencies,
        ("route",),
        _keys(ROUTES),
        SECONDS,
    ),
    Family(
        "grapevine_http_responses",
        "counter",
        "Answers by class of route and of status.",
        _responses,
        ("route", "status"),
        _keys(ROUTES, STATUSES),
    ),
    Family(
        "grapevine_connections",
        "gauge",
        "Open connections.",
        lambda state: [state.telemetry.connections],
    ),
    Family(
        "grapevine_live_streams",
        "gauge",
        "Open streams of the live feed.",
        lambda state: [state.live.streams],
    ),
    Family(
        "grapevine_live_streams_limit",
        "gauge",
        "The most streams that may be open.",
        lambda _: [MOST_STREAMS],
    ),
    Family(
        "grapevine_bound_hits",
        "counter",
        "How often a client met a bound of docs/security.md, by bound.",
        _bound_hits,
        ("bound",),
        _keys(_BOUNDS),
    ),
    Family(
        "grapevine_job_runs",
        "counter",
        "Runs of background jobs by result.",
        _job_runs,
        ("name", "result"),
        [(*key, result) for key in _JOB_KEYS for result in ("success", "failure")],
    ),
    Family(
        "grapevine_job_seconds",
        "counter",
        "Time that background jobs took, the failed runs included.",
        lambda state: _named(state.telemetry.jobs.seconds, JOBS),
        ("name",),
        _JOB_KEYS,
    ),
    Family(
        "grapevine_job_last_success_timestamp_seconds",
        "gauge",
        "When a background job succeeded last (Unix time); 0 before its first success.",
        lambda state: _named(state.telemetry.jobs.last_success, JOBS),
        ("name",),
        _JOB_KEYS,
        newest=True,
    ),
    Family(
        "grapevine_webhook_attempts",
        "counter",
        "Attempts to deliver a webhook, by result.",
        lambda state: _named(state.sender.attempts, RESULTS),
        ("result",),
        _keys(RESULTS),
    ),
    Family(
        "grapevine_webhook_events_withheld",
        "counter",
        "Events beyond the bound of an hour, which were not sent.",
        lambda state: _named(state.subscriptions.withheld, OF_BATCHES),
        ("event",),
        _keys(OF_BATCHES),
    ),
    Family(
        "grapevine_webmentions_received",
        "counter",
        "Webmentions that arrived: new ones, repeated ones, and those refused for their target or source, or because "
        "too many wait.",
        lambda state: _named(state.webmentions.received, RECEIVED),
        ("result",),
        _keys(RECEIVED),
    ),
    Family(
        "grapevine_webmention_attempts",
        "counter",
        "Attempts to read the source of a webmention, by what came of them.",
        lambda state: _named(state.webmention_reader.results, _ATTEMPTS),
        ("result",),
        _keys(_ATTEMPTS),
    ),
    Family(
        "grapevine_store_errors",
        "counter",
        "How often the store could not be used, by what needed it.",
        _store_errors,
        ("by",),
        _keys(("batches", "jobs", "requests")),
    ),
)
