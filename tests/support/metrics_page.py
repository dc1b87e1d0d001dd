"""The tables of docs/metrics.md, made from the server's own metrics; ``python -m
tests.support.metrics_page`` writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from prometheus_client.core import Metric

from grapevine.telemetry.bounds import BOUNDS
from grapevine.web.server_metrics.collector import Moment, registry_of
from grapevine.web.server_metrics.families import FAMILIES
from grapevine.web.server_metrics.figures import Total

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def metrics() -> Iterator[Metric]:
    """Yields every metric of the server, all numbers 0; of the process, as far as this system says them."""
    totals = [Total(family, [0.0] * (len(family.keys) * family.width)) for family in FAMILIES]
    moment = Moment(totals=totals, workers=[("1", 1)], ready=True, store="sqlite", waiting=0, paused=0, free_bytes=0)
    yield from registry_of(moment).collect()


def exposed(metric: Metric) -> str:
    """The name under which a metric is asked for; of a histogram without what its samples add."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def labels(metric: Metric) -> list[str]:
    """The names of a metric's labels, but for that of a histogram's buckets."""
    return [name for name in metric.samples[0].labels if name != "le"]


def blocks() -> Mapping[str, str]:
    """The tables by the name of their place in the page."""
    rows = [_row(each) for each in metrics() if not each.name.startswith("process_")]
    bounds = [f"| `{name}` | {text} |" for name, text in BOUNDS.items()]
    return {
        "metrics": "\n".join(["| metric | type | labels | what it says |", "|---|---|---|---|", *rows]),
        "bounds": "\n".join(["| `bound` | what it bounds |", "|---|---|", *bounds]),
    }


def _row(metric: Metric) -> str:
    named = ", ".join(f"`{name}`" for name in labels(metric))
    return f"| `{exposed(metric)}` | {metric.type} | {named} | {metric.documentation} |"


def written(text: str) -> str:
    """The page with its tables made anew."""
    for name, block in blocks().items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", rf"\1{block}\n\2", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
