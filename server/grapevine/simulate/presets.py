"""Presets: a world's parameters and pages for one purpose. So far the demo's: readers of the demo site.

``demo_world`` is what happens while somebody looks on, ``demo_history`` the days before.
"""

from __future__ import annotations

from random import Random
from typing import Final

from msgspec.structs import replace

from grapevine.domain.ids import DAY_MS, HOUR_MS, day_at, day_date, day_start
from grapevine.simulate.pages import Pages, SitePage
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.request_stream import MINUTE
from grapevine.simulate.season import Season, SharingWaves, Surge, weekly
from grapevine.simulate.world import World

DEMO_PAGES: Final = (
    (30, SitePage("/articles/family-tree-of-a-jar/", "The family tree of a jar · Lees", 1.3)),
    (18, SitePage("/articles/the-wine-that-went-wrong/", "The wine that went wrong · Lees", 1.1)),
    (15, SitePage("/", "Lees · bread, wine and other patient things", 0.4)),
    (11, SitePage("/articles/bread-on-the-night-train/", "Bread on the night train · Lees", 1.0)),
    (8, SitePage("/articles/sixty-one-per-cent/", "Sixty-one per cent · Lees", 1.0)),
    (6, SitePage("/docs/", "The recipe format · Lees", 0.7)),
    (5, SitePage("/articles/a-cellar-by-ear/", "A cellar, by ear · Lees", 0.9)),
    (3, SitePage("/app/", "The almanac · Lees", 0.7)),
    (2, SitePage("/routes/", "The wine list · Lees", 0.7)),
    (2, SitePage("/signup/", "The letter · Lees", 0.3)),
)
"""Pages of the demo site with their weights."""

DEMO: Final = Parameters(
    k=0.4, sharing=0.35, untagged=0.1, short_links=0.6, stripped=0.03, damaged=0.02, self_returns=0.12,
    same_network=0.08, conversions=0.04, lost=0.05, retried=0.0, late=0.0, crawlers=0.04, suspects=0.0,
)  # fmt: skip
"""Much is shared, so that a few hundred visits show every kind; nothing pretends to be people, so that every visit that
was played is counted."""

DEMO_SEED: Final = 25
"""With this seed 300 visits already show deep cascades and every usual channel."""


def demo_world(visits: int, seed: int = DEMO_SEED) -> World:
    """Returns a world of that many visits to the demo site. Raises Invalid for a number that cannot be."""
    return World(seed, replace(DEMO, visits=visits), pages=Pages(DEMO_PAGES))


HISTORY_A_DAY: Final = 450
"""About so many visits a day have come in the demo's past: few enough to fill in at once, enough for an estimate."""

HISTORY: Final = replace(
    DEMO, k=0.36, sharing=0.5, untagged=0.3, self_returns=0.05, same_network=0.04, answers=0.02, late=0.02,
    suspects=0.6, opted_out=0.02,
)  # fmt: skip

_WEEK: Final = (1.05, 1.1, 1.1, 1.05, 0.95, 0.75, 1.0)
"""A weekly rhythm from Monday: fewer read on a Saturday."""

_LOUD: Final = 6.0
_QUIET: Final = 0.05
"""How much a page is passed on in spells and between them. Strong waves help the estimate; visits hardly show them."""

_GROWTH: Final = 0.25
_SURGE_AFTER: Final = 0.7  # of the days
_SURGE_HOUR: Final = 17
_SURGE_PAGE: Final = "/articles/sixty-one-per-cent/"
_SURGE_OPENINGS: Final = 70
_AROUSED_MS: Final = 48 * HOUR_MS
_AROUSED: Final = 2.4
_FEWEST_SURGE_DAYS: Final = 6
_LAST_ARRIVALS_MS: Final = (20_000, 9_000, 2_000)


_SEEDS: Final = (8, 5, 15, 8, 5, 7, 24)
"""By day of the week on which thirty days end, from Monday: which days are Saturdays changes every draw. With these
seeds the estimate of direct traffic can be given and holds the truth, whatever the hour and the visits' ids, and one
cascade is large and deep. To be looked for again when this world changes."""


def demo_history(now: int, days: int, seed: int | None = None) -> World:
    """Returns the world of the ``days`` days that end ``now`` (UTC ms): the day of ``now`` is the last of them.

    Sharing comes in waves, which make the estimate of direct traffic surer, and on one evening a page takes off. A
    few visits come in the last seconds, so that even a day that has just begun has some.
    """
    today = day_start(day_at(now))
    seed = _SEEDS[day_date(day_at(now)).weekday()] if seed is None else seed
    start = today - (days - 1) * DAY_MS
    pages = Pages(DEMO_PAGES)
    waves = SharingWaves(
        Random(f"waves {seed}"),  # noqa: S311 - a game, no secret
        [page.path for _, page in DEMO_PAGES],
        start,
        days,
        loud=_LOUD,
        quiet=_QUIET,
    )
    surges: tuple[Surge, ...] = ()
    if days >= _FEWEST_SURGE_DAYS:
        at = start + int(days * _SURGE_AFTER) * DAY_MS + _SURGE_HOUR * HOUR_MS
        surges = (Surge(at, _SURGE_PAGE, "reddit", "reddit", _SURGE_OPENINGS, 25 * MINUTE),)
        waves.arouse(surges[0], _AROUSED_MS, _AROUSED)
    season = Season(
        until=now,
        busy=weekly(_WEEK, start, days, _GROWTH),
        sharing=waves,
        surges=surges,
        last_arrivals=tuple(max(now - before, today) for before in _LAST_ARRIVALS_MS),
    )
    parameters = replace(HISTORY, visits=days * HISTORY_A_DAY, days=float(days))
    return World(seed, parameters, start, pages, season)
