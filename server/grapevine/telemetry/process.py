"""Everything that one process counts where no other part keeps the number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from grapevine.telemetry.bounds import BOUNDS
from grapevine.telemetry.job_runs import JobRuns
from grapevine.telemetry.request_tallies import RouteTally, new_tallies


@dataclass
class Telemetry:
    """The numbers of one process. ``bound_hits`` are by the names in ``bounds``, where no other part counts them."""

    requests: dict[str, RouteTally] = field(default_factory=new_tallies)
    jobs: JobRuns = field(default_factory=JobRuns)
    bound_hits: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(BOUNDS, 0)))
    connections: int = 0
    store_errors_of_requests: int = 0
