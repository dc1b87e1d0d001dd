"""Mails whose links programs and people open once: how many of both the verdict on single openings takes out.

Each opening is drawn with its address, agent and language, and goes through the product's own functions: the signs
that ``collect`` reads and the verdict of ``analytics``. The worst case is measured: each person opens one link on the
day, so that only the opening itself can clear them, and later activity gives no visit back.
"""

from __future__ import annotations

import math
from collections import Counter
from random import Random
from typing import Final, NamedTuple

from grapevine.analytics.models.scan_verdict import SingleOpening, all_scans
from grapevine.collect.scan_signs import ScannerNetworks, signs_of
from grapevine.domain.channels import CODES
from grapevine.simulate import mail_checks
from grapevine.simulate.mail_checks import Traits
from grapevine.simulate.people import DATA_CENTRE, Person, person
from grapevine.simulate.world import START

LISTED: Final = f"{DATA_CENTRE}.0/24"
"""The network that an operator names in ``GRAPEVINE_SCANNER_NETWORKS``."""
_SHARED_AT: Final = START + 12 * 3_600_000
_MINUTE: Final = 60_000
_SCANNED: Final = 0.3
"""Mails that a program checks."""
_HOURS: Final = 180 * _MINUTE
"""The median time from a mail share to a person's opening; log-normal, as in ``simulate.random_draws.delay``."""
_SPREAD: Final = 1.5


class MailWorld(NamedTuple):
    """The people and programs that open mails. ``silent`` is the part of people who read one page and leave, ``quick``
    the part who open a mail as soon as it is there; ``opened`` is the median time (ms) of the others."""

    name: str
    scanners: Traits = mail_checks.SCANNERS
    people: Traits = mail_checks.PEOPLE
    scanned_after: int = mail_checks.WRITTEN_MS
    opened: int = _HOURS
    silent: float = 0.65
    quick: float = 0.05
    listed: bool = True
    channel: str = "email"


class Found(NamedTuple):
    """Openings of both kinds, and how many of them were taken out."""

    scanners: int
    scanners_taken: int
    people: int
    people_taken: int

    @property
    def recall(self) -> float:
        """The part of programs' openings that is taken out."""
        return self.scanners_taken / max(self.scanners, 1)

    @property
    def false_alarms(self) -> float:
        """The part of people's openings that is taken out, of all people who opened a mailed link."""
        return self.people_taken / max(self.people, 1)


USUAL: Final = MailWorld("as assumed")
OFFICE: Final = MailWorld("people open within seconds and leave at once", quick=1.0, silent=1.0)
WORLDS: Final = (
    USUAL,
    MailWorld("no networks are named", listed=False),
    MailWorld("half of the programs outside of data centres", scanners=mail_checks.SCANNERS._replace(data_centre=0.5)),
    MailWorld("programs like people's newest browsers, in data centres", scanners=Traits(0.8, 0.0, 0.0)),
    MailWorld("programs like people in everything", scanners=mail_checks.PEOPLE),
    MailWorld("mails delivered late (median 10 minutes)", scanned_after=10 * _MINUTE),
    MailWorld("four times the people in data centres", people=mail_checks.PEOPLE._replace(data_centre=0.08)),
    MailWorld("copied links, pasted into mails", channel="copy"),
    MailWorld("copied links, pasted into chats: half open in four minutes", channel="copy", opened=4 * _MINUTE),
    MailWorld("an office: half open within a minute", quick=0.5),
    OFFICE,
    MailWorld(
        "the same, all behind one gateway in a data centre", quick=1.0, silent=1.0, people=Traits(1.0, 0.03, 0.001)
    ),
)
"""The worlds of ``docs/suspects.md``: as assumed first, then wrong ones."""


def found(world: MailWorld, seed: int, mails: int) -> Found:
    """Draws so many mails, each opened by one person and some by a program, and judges every opening by itself."""
    random, counted = Random(seed), Counter[str]()  # noqa: S311
    networks = ScannerNetworks((LISTED,) if world.listed else ())
    for _ in range(mails):
        sent = mail_checks.delivered(random, world.scanned_after)
        if random.random() < _SCANNED:
            counted["scanners"] += 1
            at = sent + random.randrange(30_000)
            counted["scanners_taken"] += _is_taken(
                mail_checks.scanner(random, world.scanners), at, networks, world.channel
            )
        who = mail_checks.shows_signs(random, person(random), world.people)
        soon = random.random() < world.quick
        later = random.randrange(2_000, _MINUTE) if soon else random.lognormvariate(math.log(world.opened), _SPREAD)
        counted["people"] += 1
        if random.random() < world.silent:
            counted["people_taken"] += _is_taken(who, sent + int(later), networks, world.channel)
    return Found(*(counted[name] for name in Found._fields))


def _is_taken(who: Person, after: int, networks: ScannerNetworks, channel: str) -> bool:
    at = _SHARED_AT + after
    signs = signs_of(who.address, who.agent.text, who.language, at, networks)
    return all_scans([SingleOpening(at, CODES[channel], _SHARED_AT, signs)])
