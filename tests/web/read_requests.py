"""Read requests about recorded traffic: every read route and every dashboard page, with many parameters."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final
from urllib.parse import quote, urlencode

from grapevine.analytics.breakdown import SORTS as SORTS_OF_ROWS
from grapevine.analytics.cascades import SORTS
from grapevine.analytics.metrics import DIMENSIONS
from grapevine.analytics.models.attribution import MODELS
from grapevine.analytics.rates import RATE_DIMENSIONS
from grapevine.analytics.series import CHOICES, METRICS
from grapevine.domain.periods import INTERVALS
from grapevine.exports import TABLES
from grapevine.store.rows import SiteRow
from tests.web.traffic import PATHS, RecordedCall

CHOSEN: Final = {
    "currency": ("USD", "XXX"),
    "reported_by": ("page", "key"),
    "reason": ("robot", "duplicate"),
    "verdict": ("driven",),
    "bound": ("goals",),
    "preview": ("slack", "whatsapp"),
}
_ADDRESS: Final = "198.51.100.1"
_AGENT: Final = ("User-Agent", "a reader of numbers")


class ReadClient:
    """A client with an API key or a session of the dashboard."""

    def __init__(self, secret: str | None = None, cookie: str | None = None) -> None:
        self._headers: tuple[tuple[str, str], ...] = (_AGENT,)
        if secret is not None:
            self._headers += (("Authorization", f"Bearer {secret}"),)
        if cookie is not None:
            self._headers += (("Cookie", cookie),)

    def get(self, path: str, **params: object) -> RecordedCall:
        """A GET with those of ``params`` that are not None; ``from_`` stands for ``from``."""
        given = {name.rstrip("_"): value for name, value in params.items() if value is not None}
        return RecordedCall("GET", f"{path}?{urlencode(given)}" if given else path, self._headers, _ADDRESS, b"")

    def post(self, path: str, body: bytes, *headers: tuple[str, str], method: str = "POST") -> RecordedCall:
        """A POST of ``body``, or another method that has one."""
        sent = (*self._headers, *headers, ("Content-Length", str(len(body))))
        return RecordedCall(method, path, sent, _ADDRESS, body)


def filters(site: SiteRow) -> list[dict[str, str]]:
    """None, each one alone, and each combination of two, and some of more, with two values of each."""
    values = {
        "page": [site.origins[0] + path for path in (*PATHS[:4], "/nowhere")],
        "channel": ["copy", "whatsapp", "x", "sms"],
        "source": ["share", "search", "direct-deep"],
        "device": ["phone", "desktop", "unknown"],
        "app": ["instagram", "slack", "(other)"],
    }
    alone = [{name: value} for name, several in values.items() for value in several]
    crossed = [
        dict(zip(names, chosen, strict=True))
        for names in (
            ("page", "channel"), ("page", "source"), ("page", "device"), ("channel", "source"), ("channel", "device"),
            ("source", "device"), ("device", "app"), ("channel", "app"),
            ("page", "channel", "source"), ("channel", "source", "device"),
        )
        for chosen in product(*(values[name][:2] for name in names))
    ]  # fmt: skip
    whole = [{name: several[index % len(several)] for name, several in values.items()} for index in range(3)]
    return [{}, *alone, *crossed, *whole]


def periods(first: str, last: str, within: str) -> list[dict[str, str]]:
    """All of it in several ways, one day of it, and times in which nothing was."""
    return [
        {},
        {"from_": first, "to": last},
        {"from_": within, "to": within},
        {"from_": within},
        {"to": within},
        {"from_": "2001-01-01", "to": "2002-01-01"},
    ]


def numbers(
    asker: ReadClient, site: SiteRow, days: Sequence[Mapping[str, str]], chance: random.Random, *, briefly: bool
) -> Iterator[RecordedCall]:
    """Summaries, direct traffic, attribution, series and breakdowns; ``briefly`` with a few filters alone."""
    everything = [{}, *chance.sample(filters(site), 6)] if briefly else filters(site)
    for chosen in everything:
        for period in days[1:3]:
            yield asker.get("/v1/stats/summary", **period, **chosen)
    for period in days:
        yield asker.get("/v1/stats/summary", **period)
        yield asker.get("/v1/payouts", rate="0.1", **period)
        yield asker.get("/v1/payouts", fixed="5", currency="eur", limit=1, **period)
        yield asker.get("/v1/stats/direct", **period)
        yield asker.get("/v1/spikes", **period)
        yield asker.get("/v1/spikes", limit=1, **period)
        yield asker.get("/v1/mentions", **period)
        for model in MODELS:
            yield asker.get("/v1/attribution", model=model, **period)
    whole = days[1]
    for metric, interval in product(METRICS, INTERVALS):
        for chosen in ({}, *chance.sample(everything, 3)):
            currency = chance.choice(("EUR", "jpy", "CHF", None)) if metric == "value" else None
            yield asker.get("/v1/stats/series", metric=metric, interval=interval, currency=currency, **whole, **chosen)
    for name, metrics in CHOICES.items():
        for metric, value in product(metrics, CHOSEN[name]):
            currency = "USD" if metric == "value" and name != "currency" else None
            for interval in ("hour", "week"):
                yield asker.get(
                    "/v1/stats/series",
                    metric=metric,
                    interval=interval,
                    **({"currency": currency} if currency else {}),
                    **{name: value},
                    **whole,
                )
    for by, period in product(RATE_DIMENSIONS, days):
        yield asker.get("/v1/stats/rates", by=by, **period)
        yield asker.get("/v1/stats/rates", by=by, limit=1, **period, **chance.choice(everything))
    for by in DIMENSIONS:
        for chosen in everything if briefly else [{}, *chance.sample(everything, len(everything) // 3)]:
            yield asker.get("/v1/stats/breakdown", by=by, limit=chance.choice((None, 1, 3, 1000)), **whole, **chosen)
        for period in days:
            yield asker.get("/v1/stats/breakdown", by=by, **period)


def long_lists(asker: ReadClient, days: Mapping[str, str]) -> Iterator[RecordedCall]:
    """The first pages of lists that go on."""
    for by, sort in product(("page", "app", "channel", "depth"), SORTS_OF_ROWS):
        yield asker.get("/v1/stats/breakdown", by=by, sort=sort, limit=2, **days)
    for sort in SORTS_OF_ROWS:
        yield asker.get("/v1/stats/breakdown", by="page", sort=sort, limit=2, source="share", **days)
        yield asker.get("/v1/attribution", model="linear", sort=sort, limit=9, **days)


def exports(asker: ReadClient, days: Sequence[Mapping[str, str]]) -> Iterator[RecordedCall]:
    """Every table, whole and of each period, as lines and for spreadsheets."""
    for table, format_name, period in product(TABLES, (None, "csv"), days):
        yield asker.get(f"/v1/export/{table}", format=format_name, **period)


def trees(asker: ReadClient, roots: Sequence[str]) -> Iterator[RecordedCall]:
    """Requests for cascades by any of their visits."""
    for root in (*roots, "0" * 11, "nonsense"):
        yield asker.get(f"/v1/cascades/{quote(root)}")


def shares(asker: ReadClient, tokens: Sequence[str], singly: Sequence[str]) -> Iterator[RecordedCall]:
    """Tokens, some one by one and all of them by the thousand."""
    for token in singly:
        yield asker.get(f"/v1/tokens/{token}")
    for start in range(0, len(tokens), 1_000):
        body = json.dumps({"tokens": tokens[start : start + 1_000]}).encode()
        yield asker.post("/v1/tokens/resolve", body, ("Content-Type", "application/json"))


def for_readers(asker: ReadClient, site: SiteRow, tokens: Sequence[str]) -> Iterator[RecordedCall]:
    """Yields the public read requests: share counts of pages, and `/about` pages of tokens."""
    for origin, path in product(site.origins, (*PATHS, "/nowhere")):
        yield asker.get("/v1/counts", site=site.key, url=origin + path)
    for token in tokens:
        yield asker.get(f"/about/{token}")


def refusals(asker: ReadClient) -> Iterator[RecordedCall]:
    """Requests that are refused."""
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("/v1/stats/summary", {"colour": "red"}), ("/v1/stats/summary", {"from": "2026-02-01", "to": "2026-01-01"}),
        ("/v1/stats/summary", {"device": "toaster"}), ("/v1/stats/series", {}), ("/v1/stats/series", {"metric": "x"}),
        ("/v1/stats/series", {"metric": "visits", "interval": "hour", "from": "2020-01-01"}),
        ("/v1/stats/series", {"metric": "bound_hits", "interval": "hour"}),
        ("/v1/stats/series", {"metric": "value"}),
        ("/v1/stats/series", {"metric": "visits", "reason": "robot"}), ("/v1/stats/summary", {"app": ""}),
        ("/v1/stats/breakdown", {"by": "page", "cursor": "x"}),
        ("/v1/stats/breakdown", {"by": "colour"}), ("/v1/stats/breakdown", {"by": "page", "limit": 0}),
        ("/v1/spikes", {"limit": 0}), ("/v1/webhooks", {}), ("/v1/attribution", {"model": "x"}),
        ("/v1/payouts", {"fixed": "5"}),
        ("/v1/cascades", {"sort": "taste"}), ("/v1/cascades", {"cursor": "x"}), ("/v1/cascades", {"limit": 9_999}),
        ("/v1/export/guards", {}), ("/v1/export/visits", {"format": "xlsx"}), ("/v1/export/shares", {"to": "now"}),
        ("/v1/tokens/abc", {}), ("/v1/nowhere", {}), ("/v1/counts", {"site": "nobody", "url": "x"}),
        ("/v1/counts", {"site": "site-a", "url": "https://foreign.example/"}), ("/about/abc", {}),
        ("/s/abc", {}), ("/healthz", {}), ("/readyz", {}),
    ]  # fmt: skip
    for path, params in wrong:
        yield asker.get(path, **params)
    yield asker.post("/v1/tokens/resolve", b'{"tokens": 3}', ("Content-Type", "application/json"))


def pages(
    asker: ReadClient, site: SiteRow, days: Sequence[Mapping[str, str]], roots: Sequence[str], tokens: Sequence[str]
) -> Iterator[RecordedCall]:
    """The dashboard, but for its lists of cascades."""
    for chosen in filters(site)[::5]:
        yield asker.get("/", site=site.key, **days[1], **chosen)
    for path, period in product(("/", "/direct", "/conversions"), days):
        yield asker.get(path, site=site.key, **period)
    for model in (*MODELS, "x"):
        yield asker.get("/conversions", site=site.key, model=model, **days[1])
    for back in (1, 7, 365, 0):
        yield asker.get("/", site=site.key, days=back)
    for root in (*roots, "nonsense"):
        yield asker.get(f"/cascades/{root}", site=site.key)
    for token in (None, "abc", "z" * 23, *tokens):
        yield asker.get("/tokens", site=site.key, token=token)
    for path in ("/first-steps", "/check", "/links", "/links/nonsense"):
        yield asker.get(path, site=site.key)
    yield asker.get("/", site="nobody")
    yield asker.get("/sign-in", site=site.key)


def lists(asker: ReadClient, path: str, site: SiteRow, limits: Sequence[int | None]) -> Iterator[RecordedCall]:
    """The first page of cascades in every order."""
    for sort, limit in product(SORTS, limits):
        yield asker.get(path, site=site.key, sort=sort, limit=limit)


def sign_in(secret: str) -> RecordedCall:
    """The form with an API key in it."""
    form = ("Content-Type", "application/x-www-form-urlencoded"), ("Origin", "http://grapevine.example")
    return ReadClient().post("/sign-in", urlencode({"key": secret}).encode(), *form)


def some(many: Sequence[str], most: int, chance: random.Random) -> list[str]:
    """At most so many of them."""
    return chance.sample(many, min(most, len(many)))
