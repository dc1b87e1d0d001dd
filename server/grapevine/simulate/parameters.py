"""All rates of a world, those of lost, late, repeated and forged requests among them."""

from __future__ import annotations

from typing import Final

import msgspec

from grapevine.errors import Invalid

MOST_VISITS: Final = 10_000_000
HIGHEST_K: Final = 1.5


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rates are parts of 1 unless said otherwise. Raises Invalid for a rate out of bounds.

    ``k`` is how many visits of other people each visit makes on the average, whatever way its page was passed on.
    ``untagged`` is the part of all sharing that no button and no copied link sees: an address copied out of the
    browser, a link typed into a chat. ``suspects`` scales what pretends to be people: mail scanners, bots that replay
    tokens, driven browsers; 1 is plausible, 0 none.
    """

    visits: int = 1_000
    days: float = 14.0
    k: float = 0.3
    pages: int = 120
    sharing: float = 0.2
    """Acts of sharing per visit."""
    untagged: float = 0.3
    short_links: float = 0.4
    """Shares that go out as ``/s/TOKEN``, which alone shows the robots of messengers."""
    stripped: float = 0.06
    """Openings of a tagged link that have lost their token on the way."""
    damaged: float = 0.01
    self_returns: float = 0.08
    """Acts of sharing whose link the sharer opens, too."""
    same_network: float = 0.04
    """Openings by a visitor with the same address, browser and language as the sharer."""
    opened_twice: float = 0.02
    """Openings after which the same person opens the link again within a minute."""
    regulars: float = 0.2
    """First visits by people who were here before."""
    opted_out: float = 0.02
    conversions: float = 0.0
    """Visits that reach a goal; ``--conversions`` of the people who are followed."""
    answers: float = 0.0
    """Visits whose person says how they heard of the site; ``--answers`` of the people who are followed."""
    lost: float = 0.1
    """Reports of shares that never arrive."""
    retried: float = 0.02
    """Requests that are sent again although the first one arrived."""
    late: float = 0.1
    """Reports of shares that arrive minutes to hours afterwards, often behind the visits they led to."""
    crawlers: float = 0.05
    """Visits per visit of people by robots that name themselves and run scripts."""
    suspects: float = 1.0
    mail_checks: bool = False
    """Whether programs that check mails, and the people who open them, come as ``simulate.mail_checks`` draws them;
    else such a program is at an address of its own, and checks within 32 seconds."""
    addresses: bool = True
    """Whether each visitor has a network address; else only agents and languages distinguish visitors."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name not in _BOUNDS and not isinstance(value, bool) and not 0 <= value <= 1:
                raise Invalid.of(name, f"must be a part of 1, not {value}")
        for name, (low, high) in _BOUNDS.items():
            if not low <= getattr(self, name) <= high:
                raise Invalid.of(name, f"must be a number from {low} to {high}, not {getattr(self, name)}")


_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "visits": (1, MOST_VISITS), "days": (0.01, 3_650), "k": (0, HIGHEST_K), "pages": (3, 9_000), "sharing": (0.01, 2),
    "suspects": (0, 20),
}  # fmt: skip
