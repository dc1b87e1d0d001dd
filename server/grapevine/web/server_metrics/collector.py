"""The metrics as ``prometheus_client`` knows them: what all processes count, and what is asked when somebody reads."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from grapevine import __version__
from grapevine.web.server_metrics.families import Family
from grapevine.web.server_metrics.figures import Total


class Moment(NamedTuple):
    """What a scrape shows. ``waiting``, ``paused`` and ``free_bytes`` are None where they are not known."""

    totals: Sequence[Total]
    workers: Sequence[tuple[str, int]]
    ready: bool
    store: str
    waiting: int | None
    paused: int | None
    free_bytes: int | None


class ServerCollector(Collector):
    """Shows one moment."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def collect(self) -> Iterator[Metric]:
        """Yields all metrics."""
        for total in self._moment.totals:
            yield _metric(total.family, total.numbers)
        yield from _asked(self._moment)
        yield from _processes(self._moment.workers)


def registry_of(moment: Moment) -> CollectorRegistry:
    """Returns a registry of its own that shows one moment."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServerCollector(moment))
    return registry


def _metric(family: Family, numbers: Sequence[float]) -> Metric:
    if family.kind == "histogram":
        return _histogram(family, numbers)
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels)
    for key, number in zip(family.keys, numbers, strict=True):
        metric.add_metric(key, number)
    return metric


def _histogram(family: Family, numbers: Sequence[float]) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    names = [*map(_bound, family.bounds), "+Inf"]
    for place, key in enumerate(family.keys):
        *buckets, total = numbers[place * family.width : (place + 1) * family.width]
        metric.add_metric(key, list(zip(names, accumulate(buckets), strict=True)), total)
    return metric


def _bound(bound: float) -> str:
    return repr(bound)


_ASKED: Final = {
    "grapevine_ready": "Whether the store takes writes, as `/readyz` says: 1 or 0.",
    "grapevine_webhook_deliveries_waiting": "Deliveries that wait for an attempt, counted up to 10,000.",
    "grapevine_webhook_endpoints_paused": "Endpoints that are paused, since they took nothing for an hour.",
    "grapevine_disk_free_bytes": "Free bytes of the disk with the SQLite file, for users without special rights.",
    "grapevine_workers": "Serving processes of this server.",
}


def _asked(moment: Moment) -> Iterable[Metric]:
    values = (moment.ready, moment.waiting, moment.paused, moment.free_bytes, len(moment.workers))
    for (name, text), value in zip(_ASKED.items(), values, strict=True):
        if value is not None:
            yield GaugeMetricFamily(name, text, value=float(value))
    build = GaugeMetricFamily(
        "grapevine_build_info", "The server's release; the number is 1.", labels=("version", "python", "store")
    )
    build.add_metric((__version__, platform.python_version(), moment.store), 1)
    yield build


def _processes(workers: Sequence[tuple[str, int]]) -> Iterable[Metric]:
    """Yields what the system says of each process (Linux alone), with the worker's number as a label."""
    found: dict[str, Metric] = {}
    for worker, pid in workers:
        for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
            known = found.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
            for sample in metric.samples:
                known.add_sample(sample.name, {"worker": worker}, sample.value)
    return found.values()
