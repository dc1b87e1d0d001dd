"""The pages of a made-up site: few are read by many (Zipf), and some are passed on far more than others."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

_ZIPF: Final = 0.8
_MOST_APPEAL: Final = 1.8
_TOPICS: Final = ("bread", "wine", "cheese", "pickles", "miso", "cider", "beer", "vinegar")
_SHORT: Final = ("/about", "/letter", "/shop", *(f"/{topic}/" for topic in _TOPICS))


class SitePage(NamedTuple):
    """A page: its path, its title, and how much it is passed on (1 is the average)."""

    path: str
    title: str
    appeal: float

    @property
    def is_home(self) -> bool:
        """Whether it is the front page."""
        return self.path == "/"


class Pages:
    """Pages, each with its weight: how often it is read. The home page is among them."""

    def __init__(self, weighted: Sequence[tuple[float, SitePage]]) -> None:
        mean = sum(weight * page.appeal for weight, page in weighted) / sum(weight for weight, _ in weighted)
        self._pages = [page._replace(appeal=page.appeal / mean) for _, page in weighted]
        self._weights = list(accumulate(weight for weight, _ in weighted))
        self.home = next(page for page in self._pages if page.is_home)

    def named(self, path: str) -> SitePage:
        """Returns the page of that path. Raises StopIteration when there is none."""
        return next(page for page in self._pages if page.path == path)

    def draw(self, random: Random) -> SitePage:
        """Returns a page, drawn by weight."""
        return random.choices(self._pages, cum_weights=self._weights)[0]


def made_up_pages(random: Random, count: int) -> Pages:
    """Returns ``count`` pages: home, short paths, deep ones. Popular by Zipf's law with exponent 0.8 (Breslau et al.
    1999: Web caching and Zipf-like distributions, find 0.64 to 0.83), home being the most popular."""
    paths = ["/", *_SHORT][:count]
    for number in range(len(paths), count):
        topic = _TOPICS[number % len(_TOPICS)]
        paths.append(f"/{topic}/2026/{number:04}-what-nobody-told-you-about-{topic}")
    rest = paths[1:]
    random.shuffle(rest)
    return Pages(
        [
            (rank**-_ZIPF, SitePage(path=path, title=_title(path), appeal=_appeal(random, path)))
            for rank, path in enumerate(("/", *rest), 1)
        ]
    )


def _title(path: str) -> str:
    return f"{path.strip('/').replace('/', ' · ') or 'Home'} – Lees"


def _appeal(random: Random, path: str) -> float:
    return 0.2 if path.count("/") < 3 else min(random.lognormvariate(0, 0.6), _MOST_APPEAL)
