"""The pages of a made-up site: few are read by many (Zipf), and some are passed on far more than others."""

from __future__ import annotations

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
    """``count`` pages: home, short paths, deep ones. Popular by Zipf's law with exponent 0.8 (Breslau et al. 1999:
    Web caching and Zipf-like distributions, find 0.64 to 0.83), home being the most popular."""

    def __init__(self, random: Random, count: int) -> None:
        paths = ["/", *_SHORT][:count]
        for number in range(len(paths), count):
            topic = _TOPICS[number % len(_TOPICS)]
            paths.append(f"/{topic}/2026/{number:04}-what-nobody-told-you-about-{topic}")
        rest = paths[1:]
        random.shuffle(rest)
        weights = [place**-_ZIPF for place in range(1, count + 1)]
        appeals = [
            0.2 if path.count("/") < 3 else min(random.lognormvariate(0, 0.6), _MOST_APPEAL) for path in ("/", *rest)
        ]
        mean = sum(map(float.__mul__, weights, appeals)) / sum(weights)
        self._pages = [
            SitePage(path, f"{path.strip('/').replace('/', ' · ') or 'Home'} – Lees", appeal / mean)
            for path, appeal in zip(("/", *rest), appeals, strict=True)
        ]
        self._weights = list(accumulate(weights))

    @property
    def home(self) -> SitePage:
        """The front page."""
        return self._pages[0]

    def draw(self, random: Random) -> SitePage:
        """A page, as often as it is read."""
        return random.choices(self._pages, cum_weights=self._weights)[0]
