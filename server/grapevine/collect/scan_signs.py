"""What an opening of a link that may have been mailed shows of a program that checks mails.

The signs decide nothing: together with the time since the link was shared, and with what happens in the visit, the
verdict job judges them ten minutes later (``analytics.models.scan_verdict``).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Final

from grapevine.domain import ids
from grapevine.domain.scan_signs import DATA_CENTRE, NO_LANGUAGE, OLD_ENGINE

_CHROMIUM: Final = re.compile(r" Chrome/([0-9]{1,4})\.")
_FIRST_RELEASE: Final = 94
"""Chromium 94 became stable on 21 September 2021, the first one of the four-week schedule
(https://blog.chromium.org/2021/03/speeding-up-release-cycle.html)."""
_FIRST_DAY: Final = 629
"""21 September 2021 in days since 2020-01-01, as ``ids.day_at`` counts."""
_DAYS_PER_RELEASE: Final = 31.3
"""Days from one release to the next, holidays included: 47 of them from 21 September 2021 to 30 September 2025, when
141 became stable. A faster schedule only makes an old engine look younger."""
OLD_RELEASES: Final = 18
"""An engine that is so many releases behind is old: a year and a half."""


class ScannerNetworks:
    """The networks that ``GRAPEVINE_SCANNER_NETWORKS`` names, asked in microseconds however many there are."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._starts: dict[int, list[int]] = {4: [], 6: []}
        self._ends: dict[int, list[int]] = {4: [], 6: []}
        ranges = sorted(
            (network.version, int(network.network_address), int(network.broadcast_address))
            for network in (ip_network(text, strict=False) for text in networks)
        )
        for version, start, end in ranges:
            ends = self._ends[version]
            if ends and start <= ends[-1] + 1:
                ends[-1] = max(ends[-1], end)
            else:
                self._starts[version].append(start)
                ends.append(end)

    def __contains__(self, address: str) -> bool:
        """Whether an address lies in one of the networks; an unreadable one does not."""
        if not (self._starts[4] or self._starts[6]):
            return False
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        ip = getattr(ip, "ipv4_mapped", None) or ip
        place = bisect_right(self._starts[ip.version], int(ip)) - 1
        return place >= 0 and int(ip) <= self._ends[ip.version][place]


def signs_of(address: str, user_agent: str, language: str, at: int, networks: ScannerNetworks) -> int:
    """Returns the signs of an opening as bits (``domain.scan_signs``)."""
    signs = DATA_CENTRE if address in networks else 0
    if not language.strip():
        signs |= NO_LANGUAGE
    return signs | OLD_ENGINE if is_old_engine(user_agent, ids.day_at(at)) else signs


def is_old_engine(user_agent: str, day: int) -> bool:
    """Whether the agent names a Chromium that was old on a day; other engines have versions for years."""
    found = _CHROMIUM.search(user_agent)
    newest = _FIRST_RELEASE + (day - _FIRST_DAY) / _DAYS_PER_RELEASE
    return found is not None and int(found[1]) <= newest - OLD_RELEASES
