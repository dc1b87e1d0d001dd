"""Presets: a world's parameters and pages for one purpose. So far the demo's: readers of the demo site."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from grapevine.simulate.pages import Pages, SitePage
from grapevine.simulate.parameters import Parameters
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
