"""The results that a server should compute from a world: the parent of each visit, and every number.

Written from the contract's definitions, on its own: nothing here is shared with what computes the server's numbers.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any, NamedTuple

from grapevine.domain.channels import DARK
from grapevine.simulate.truth import Link, Truth, Visit


class ExpectedVisit(NamedTuple):
    """A visit as the server should see it. ``parent`` made the shared link; ``depth`` counts returns above."""

    visit: Visit
    parent: Visit | None
    depth: int
    root: int

    @property
    def source(self) -> str:
        """The source, of the contract's closed set."""
        return self.visit.source if self.parent is None else "share"

    @property
    def is_return(self) -> bool:
        """Whether another person's link led here."""
        return self.parent is not None and not self.visit.own


class ExpectedResults:
    """``found`` are the visits of people that have a row, by number; ``numbers`` and ``parts`` are those of the summary
    and of its breakdowns; ``proven``, ``reported`` and ``unfurls`` name shares; ``cascades`` are (size, depth) by the
    number of their root."""

    def __init__(self, truth: Truth) -> None:
        self.found: dict[int, ExpectedVisit] = {}
        humans = [visit for visit in truth.visits if visit.human]
        self._nodes = {visit.number: visit for visit in truth.visits if visit.source == "link"}
        for visit in humans:
            if not visit.opted_out:
                self.found[visit.number] = self._see(visit)
        returns = [one for one in self.found.values() if one.is_return]
        self.proven = {_link(one) for one in returns}
        self.reported = {link for link, share in truth.shares.items() if share.reports}
        self.unfurls = {(link, app) for link, share in truth.shares.items() for app in share.unfurls}
        self.cascades: dict[int, tuple[int, int]] = {}
        for one in returns:
            size, depth = self.cascades.get(one.root, (int(one.root not in self._nodes), 0))  # a made link is no visit
            self.cascades[one.root] = size + 1, max(depth, one.depth)
        self.numbers = self._numbers(truth, humans, returns)
        self.parts: dict[str, Counter[Any]] = {
            "source": Counter([one.source for one in self.found.values()])
            + Counter(visit.source for visit in humans if visit.opted_out),
            "channel": Counter(_link(one).channel for one in self.found.values() if one.parent is not None),
            "depth": Counter([*(one.depth for one in self.found.values()), *(0 for one in humans if one.opted_out)]),
            "device": Counter(visit.device for visit in humans),
            "app": Counter(one.visit.app for one in self.found.values() if one.visit.app is not None),
        }

    @property
    def deepest(self) -> int:
        """The depth of the deepest cascade."""
        return max((depth for _, depth in self.cascades.values()), default=0)

    def _see(self, visit: Visit) -> ExpectedVisit:
        link = visit.link
        if link is not None and link.visit in self._nodes:
            return ExpectedVisit(visit, self._nodes[link.visit], 1, link.visit)
        above = None if link is None else self.found.get(link.visit)
        if above is None:
            return ExpectedVisit(visit, None, 0, visit.number)
        return ExpectedVisit(visit, above.visit, above.depth + (not visit.own), above.root)

    def _numbers(self, truth: Truth, humans: list[Visit], returns: list[ExpectedVisit]) -> dict[str, float | None]:
        known = self.proven | self.reported
        own = sum(one.visit.own and one.parent is not None for one in self.found.values())
        dark = sum(link.channel in DARK for link in known)
        arrivals = {(one.visit.served.day, one.visit.visitor) for one in self.found.values() if one.visit.served}
        visits, others = len(humans), len(humans) - own
        numbers: dict[str, float | None] = {
            "views": sum(visit.views for visit in humans),
            "visits": visits,
            "visitors": len(arrivals),
            "returns": len(returns),
            "self_returns": own,
            "shares.total": len(known),
            "shares.reported": len(self.reported),
            "shares.proven": len(self.proven),
            "shares.dark": dark,
            "shares.public": len(known) - dark,
            "dark_share": _ratio(dark, len(known)),
            "return_share": _ratio(len(returns), visits),
            "k_factor": _ratio(len(returns), others),
            "amplification": _ratio(others, others - len(returns)),
            "same_network_returns": sum(map(_same_network, returns)),
            "conversions": sum(len(visit.goals) for visit in humans),
        }
        worth: dict[str, Decimal] = {}
        for goal in (goal for visit in humans for goal in visit.goals):
            if goal.value is not None and goal.currency is not None:
                worth[goal.currency] = worth.get(goal.currency, Decimal(0)) + Decimal(goal.value)
        numbers |= {f"value.{currency}": float(value) for currency, value in sorted(worth.items())}
        numbers["conversions_by.page.conversions"] = numbers["conversions"]  # no shop reports any with an API key
        numbers |= {f"conversions_by.page.value.{currency}": float(value) for currency, value in sorted(worth.items())}
        unfurls = Counter(app for _, app in self.unfurls)
        suspects = Counter(visit.robot for visit in truth.visits if visit.robot not in (None, "crawler"))
        numbers |= {f"suspects.{kind}": number for kind, number in suspects.items()}
        return (
            numbers
            | {f"unfurls.{app}": unfurls[app] for app in sorted(unfurls)}
            | {f"drops.{reason}": count for reason, count in sorted(truth.drops.items()) if count}
        )


def _link(one: ExpectedVisit) -> Link:
    visit = one.visit
    return Link(visit.parent or 0, visit.channel or "", visit.n or 0)


def _same_network(one: ExpectedVisit) -> bool:
    """The visitor hash recognises a browser on the same day and on the next."""
    parent = one.parent
    if parent is None or parent.visitor != one.visit.visitor or parent.served is None or one.visit.served is None:
        return False
    return one.visit.served.day - parent.served.day in (0, 1)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
