"""The main-thread time of the widget's scripts, from the browser's trace."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

LONG_MS: Final = 50
CATEGORIES: Final = ["devtools.timeline", "disabled-by-default-devtools.timeline", "v8", "v8.execute", "toplevel"]
RUNS: Final = ("EvaluateScript", "FunctionCall", "RunMicrotasks", "v8.compile", "v8.compileModule")
"""Ways into a script. What follows an `await` runs as a microtask, which no URL is known of: those are counted on
pages that have no other script, with the exception of the test's own, which says that it has no URL."""


def script_tasks(trace: bytes, name: str) -> list[float]:
    """How long each task has run the scripts with this in their URL, in ms of processor time, longest first.

    Processor time (`tdur`) and not the clock's: a task that has to wait for this machine's other work takes no more
    of it. Layout that a script asks for is in it; what the browser draws afterwards is in tasks of its own.
    """
    events = [event for event in json.loads(trace)["traceEvents"] if "tdur" in event]
    threads: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for event in sorted(events, key=lambda event: (event["ts"], -event["dur"])):
        threads[event["pid"], event["tid"]].append(event)
    found = [_of_scripts(task, name) for thread in threads.values() for task in _tasks(thread)]
    return sorted((cost for cost in found if cost), reverse=True)


def _tasks(thread: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The script events of a thread, in the order in which they began, task by task."""
    until = -1.0
    task: list[dict[str, Any]] = []
    for event in thread:
        if event["name"].endswith("RunTask") and event["ts"] >= until:
            yield task
            until, task = event["ts"] + event["dur"], []
        elif event["name"] in RUNS and event["ts"] < until:
            task.append(event)
    yield task


def _of_scripts(task: list[dict[str, Any]], name: str) -> float:
    until, cost, ours = -1.0, 0.0, False
    for event in task:
        data = event["args"].get("data") or {}
        url = data.get("url") or event["args"].get("fileName") or ""
        if event["name"] != "RunMicrotasks" and name not in url:
            continue
        ours = True
        if event["ts"] >= until:  # not inside the one before it
            until = event["ts"] + event["dur"]
            cost += event["tdur"] / 1000
    return cost if ours else 0.0
