"""The comparison of a server with a world: the findings that were possible, and the error of each number.

A link between two visits counts as right when the server names the share that was really opened: the visit, channel and
number. What cannot be known (a token lost on the way) is no fault; people alone are asked about, robots have their own
rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence, Set
from datetime import date
from typing import Any, Final

import msgspec

from grapevine.analytics.breakdown import MOST_ROWS
from grapevine.analytics.token_resolution import ChainNode, Resolution, Unresolved
from grapevine.api_schemas.tokens import MOST_TOKENS
from grapevine.client import AsyncClient
from grapevine.domain import ids
from grapevine.errors import GrapevineError
from grapevine.simulate.expected import ExpectedResults
from grapevine.simulate.truth import Link, Truth

LEAST_RECALL: Final = 0.999
_RATIO_ERROR: Final = 1e-9
_DROPS_WAIT_SECONDS: Final = 3.0
_PAUSE_SECONDS: Final = 0.25

Period = tuple[date, date]
"""The first and the last day."""


class SetComparison(msgspec.Struct, frozen=True):
    """How a set that the server found compares to the true one; null where that divides by zero."""

    true: int
    found: int
    right: int
    precision: float | None
    recall: float | None

    @classmethod
    def of(cls, true: Set[Hashable], found: Set[Hashable]) -> SetComparison:
        """Returns the precision and recall of ``found`` against ``true``."""
        right = len(true & found)
        precision = right / len(found) if found else None
        return cls(len(true), len(found), right, precision, right / len(true) if true else None)

    @property
    def good(self) -> bool:
        """Whether nothing wrong was found and at most one in a thousand is missing."""
        return self.right == self.found and self.right >= LEAST_RECALL * self.true


class NumberComparison(msgspec.Struct, frozen=True):
    """One number: the expected one, the server's, and the difference."""

    expected: float | None
    found: float | None
    error: float | None

    @classmethod
    def of(cls, expected: float | None, found: float | None) -> NumberComparison:
        """Compares two numbers; ``error`` is None where only one of them is None."""
        if expected is None or found is None:
            return cls(expected, found, 0 if expected is found else None)
        return cls(expected, found, found - expected)

    @property
    def good(self) -> bool:
        """Whether the number is exact, up to rounding."""
        return self.error is not None and abs(self.error) <= _RATIO_ERROR


class RobotComparison(msgspec.Struct, frozen=True):
    """The robots. ``refused`` got 202 with the reason; ``stored`` were stored like visits; ``counted`` are
    among the visits; ``people_refused`` are people who were taken for robots."""

    true: int
    refused: int
    stored: int
    counted: int
    people_refused: int

    @property
    def good(self) -> bool:
        """Whether no robot is counted and no person is refused."""
        return self.counted == 0 and self.people_refused == 0


class VerdictCount(msgspec.Struct, frozen=True):
    """Visits of one kind, and how many of them a verdict took out of the counts."""

    stored: int
    taken_out: int


class WorldSummary(msgspec.Struct, frozen=True):
    """The facts of the world: visits of people, how they came, and the shape of what grew.

    ``dark`` visits came through private sharing that left no trace. ``cascades`` are first visits that led to others,
    by whatever way; ``one_hop`` those of them that went no further.
    """

    visits: int
    shared: int
    tagged: int
    dark: int
    cascades: int
    one_hop: int
    deepest: int
    largest: int


class ComparisonReport(msgspec.Struct, frozen=True):
    """Everything that was compared. ``verdicts`` are those on suspects by their kind, and those on ``people``."""

    clean: bool
    world: WorldSummary
    qualities: dict[str, SetComparison]
    robots: RobotComparison
    verdicts: dict[str, VerdictCount]
    numbers: dict[str, NumberComparison]
    parts: dict[str, dict[str, NumberComparison]]


async def check(truth: Truth, api: AsyncClient) -> ComparisonReport:
    """Returns the comparison with what ``api`` says of the site.

    Raises GrapevineError when the world was never played or the server does not respond.
    """
    days = [visit.served.day for visit in truth.visits if visit.served is not None]
    if not days:
        raise GrapevineError("nothing of this truth was played on a server")
    period = ids.day_date(min(days)), ids.day_date(max(days))
    expected = ExpectedResults(truth)
    summary = await _settled(api, period, expected)
    numbers = _numbers(expected.numbers, summary)
    parts = {by: _numbers(dict(counts), await _visits_by(api, by, period)) for by, counts in expected.parts.items()}
    ends = await _ends(truth, api)
    qualities = {
        **_visits(truth, expected, ends),
        **await _shares(truth, expected, api),
        "cascades": await _cascades(truth, expected, api),
    }
    robots = _robots(truth, summary["visits"])
    verdicts = _verdicts(truth, ends)
    everything: list[SetComparison | NumberComparison | RobotComparison] = [
        robots,
        *qualities.values(),
        *numbers.values(),
    ]
    everything += [number for counted in parts.values() for number in counted.values()]
    clean = all(one.good for one in everything)
    return ComparisonReport(clean, summarize_world(truth), qualities, robots, verdicts, numbers, parts)


def summarize_world(truth: Truth) -> WorldSummary:
    """Returns the world in a few numbers."""
    people = [visit for visit in truth.visits if visit.human]
    roots: dict[int, int] = {}
    sizes: dict[int, tuple[int, int]] = {}
    for visit in people:
        root = visit.number if visit.parent is None else roots[visit.parent]
        roots[visit.number] = root
        if visit.parent is not None and not visit.own:
            size, depth = sizes.get(root, (1, 0))
            sizes[root] = size + 1, max(depth, visit.depth)
    return WorldSummary(
        visits=len(people),
        shared=sum(visit.parent is not None and not visit.own for visit in people),
        tagged=sum(visit.token == "kept" and not visit.own for visit in people),  # noqa: S105
        dark=sum(visit.dark for visit in people),
        cascades=len(sizes),
        one_hop=sum(depth == 1 for _, depth in sizes.values()),
        deepest=max((depth for _, depth in sizes.values()), default=0),
        largest=max((size for size, _ in sizes.values()), default=0),
    )


async def _settled(api: AsyncClient, period: Period, expected: ExpectedResults) -> dict[str, Any]:
    """Returns the summary as a flat table (``shares.total``, ``unfurls.slack``).

    Asks again for up to 3 s while drops are missing (they are stored within a second).
    """
    until = asyncio.get_running_loop().time() + _DROPS_WAIT_SECONDS
    while True:
        summary = dict(_flat(msgspec.to_builtins(await api.stats.summary(*period))))
        missing = any(
            summary.get(name, 0) < (count or 0) for name, count in expected.numbers.items() if name.startswith("drops.")
        )
        if not missing or asyncio.get_running_loop().time() > until:
            return summary
        await asyncio.sleep(_PAUSE_SECONDS)


async def _visits_by(api: AsyncClient, by: Any, period: Period) -> dict[str | int, int]:
    """Returns the visits by key of the dimension ``by``, without keys that have none."""
    rows = await api.stats.breakdown(by, *period, limit=MOST_ROWS)
    return {row.key: row.visits for row in rows if row.visits}


async def _resolved(api: AsyncClient, tokens: Sequence[str]) -> list[Resolution | Unresolved]:
    """Resolves tokens; the results are in their order."""
    starts = range(0, len(tokens), MOST_TOKENS)
    return [each for start in starts for each in await api.tokens.resolve(tokens[start : start + MOST_TOKENS])]


async def _ends(truth: Truth, api: AsyncClient) -> dict[int, ChainNode]:
    """Returns the last step of the chain of each stored visit, by its number."""
    tokens = {
        visit.number: visit.served.token
        for visit in truth.visits
        if visit.served is not None and visit.served.token is not None
    }
    answers = await _resolved(api, list(tokens.values()))
    return {
        number: answer.chain[-1]
        for number, answer in zip(tokens, answers, strict=True)
        if isinstance(answer, Resolution)
    }


def _visits(truth: Truth, expected: ExpectedResults, ends: Mapping[int, ChainNode]) -> dict[str, SetComparison]:
    """Compares the parents of visits with the chains."""
    named = {link: share.served for link, share in truth.shares.items()}
    links: set[tuple[int, str | None, int]] = set()
    own: set[int] = set()
    for number, last in ends.items():
        if number in expected.found and last.via is not None:
            if last.is_self:
                own.add(number)
            links.add((number, last.via.token, last.depth))
    true = {
        (one.visit.number, None if one.visit.link is None else named.get(one.visit.link), one.depth)
        for one in expected.found.values()
        if one.parent is not None
    }
    mine = {one.visit.number for one in expected.found.values() if one.visit.own and one.parent is not None}
    return {"parents": SetComparison.of(true, links), "self_returns": SetComparison.of(mine, own)}


async def _shares(truth: Truth, expected: ExpectedResults, api: AsyncClient) -> dict[str, SetComparison]:
    """Compares which shares are proven and reported, and which robots fetched them."""
    served = {link: share.served for link, share in truth.shares.items() if share.served is not None}
    proven: set[Link] = set()
    reported: set[Link] = set()
    unfurls: set[tuple[Link, str]] = set()
    for link, answer in zip(served, await _resolved(api, list(served.values())), strict=True):
        if isinstance(answer, Unresolved):
            continue
        if answer.share.proven:
            proven.add(link)
        if answer.share.reported:
            reported.add(link)
        unfurls |= {(link, app) for app in answer.share.unfurls}
    return {
        "proven": SetComparison.of(expected.proven, proven),
        "reported": SetComparison.of(expected.reported, reported),
        "unfurls": SetComparison.of(expected.unfurls, unfurls),
    }


async def _cascades(truth: Truth, expected: ExpectedResults, api: AsyncClient) -> SetComparison:
    """Compares roots, sizes and depths of all cascades."""
    ids = {visit.number: visit.served.visit for visit in truth.visits if visit.served is not None}
    found = {(head.root, head.size, head.max_depth) async for head in api.cascades.list()}
    return SetComparison.of({(ids.get(root), *shape) for root, shape in expected.cascades.items()}, found)


def _robots(truth: Truth, counted: int) -> RobotComparison:
    robots = [visit for visit in truth.visits if not visit.human]
    people = [visit for visit in truth.visits if visit.human]
    return RobotComparison(
        true=len(robots),
        refused=sum(visit.served is not None and visit.served.dropped == "robot" for visit in robots),
        stored=sum(visit.served is not None and visit.served.visit is not None for visit in robots),
        counted=max(0, counted - len(people)),
        people_refused=sum(visit.served is not None and visit.served.dropped == "robot" for visit in people),
    )


def _verdicts(truth: Truth, ends: Mapping[int, ChainNode]) -> dict[str, VerdictCount]:
    """Counts the visits with a verdict by kind of visitor."""
    kinds: dict[str, list[bool]] = {}
    for number, last in ends.items():
        kinds.setdefault(truth.visits[number].robot or "people", []).append(last.verdict is not None)
    return {kind: VerdictCount(len(found), sum(found)) for kind, found in sorted(kinds.items())}


def _numbers(expected: Mapping[Any, float | None], found: Mapping[Any, float | None]) -> dict[str, NumberComparison]:
    """Compares the numbers of both sides; a number missing on one side is 0 there."""
    names = sorted({*expected, *found}, key=str)
    return {
        str(name): NumberComparison.of(expected.get(name, 0), found.get(name, 0))
        for name in names
        if name in found or expected.get(name)
    }


def _flat(table: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{above}{name}.")
        else:
            rows.append((f"{above}{name}", float(value) if isinstance(value, str) else value))
    return rows
