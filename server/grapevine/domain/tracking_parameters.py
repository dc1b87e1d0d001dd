"""Query parameters that only track: click ids, campaign tags, ids of a mailing's recipient. They make no pages.

The names come from ``built/data/tracking.json`` (``widget/build/tracking_lists.py``); the widget takes the same ones
out of shared URLs (``widget/src/clean``).
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class _TrackingNames(NamedTuple):
    names: frozenset[str]
    prefixes: tuple[str, ...]


def is_tracking(name: str) -> bool:
    """Returns whether a decoded name of a parameter is one that only tracks, whatever its case."""
    tracking = _tracking_names()
    # Some letters beyond ASCII become ASCII in lower case, such as the Kelvin sign; in the widget they do not.
    lowered = name.lower() if name.isascii() else "".join(each.lower() if each.isascii() else each for each in name)
    return lowered in tracking.names or lowered.startswith(tracking.prefixes)


@cache
def _tracking_names() -> _TrackingNames:
    table = json.loads(files("grapevine").joinpath("built", "data", "tracking.json").read_text("utf-8"))
    return _TrackingNames(frozenset(table["names"]), tuple(table["prefixes"]))
