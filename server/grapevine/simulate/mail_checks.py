"""Programs that check mails, and what people who open mails have in common with them.

The rates are assumptions. They are written down here in one place, and ``make bench ARGS=scanners`` changes them.
"""

from __future__ import annotations

import math
import re
from random import Random
from typing import Final, NamedTuple

from grapevine.simulate.people import BROWSERS, DATA_CENTRE, AgentString, Person, person

_CHROME: Final = re.compile(r"Chrome/[0-9]+")
_OLD: Final = (79, 92, 99, 109, 119)
"""Versions of Chromium that programs are built with and old machines keep; 109 is the last one for Windows 7."""
_SECOND: Final = 1_000


class Traits(NamedTuple):
    """How many visitors come from a data centre, with an old Chromium, and without a language; parts of 1."""

    data_centre: float
    old_engine: float
    no_language: float


SCANNERS: Final = Traits(data_centre=0.8, old_engine=0.4, no_language=0.3)
PEOPLE: Final = Traits(data_centre=0.02, old_engine=0.03, no_language=0.001)
"""A company's web gateway or a VPN may stand in a data centre."""
WRITTEN_MS: Final = 45 * _SECOND
"""The median time from a press on the mail button to the mail's delivery, which is checked at once; log-normal."""
_SPREAD: Final = 1.0


def scanner(random: Random, traits: Traits = SCANNERS) -> Person:
    """Returns a program that checks mails, in a real browser on a desktop."""
    return shows_signs(random, person(random)._replace(agent=BROWSERS[0][1], language="en-US,en;q=0.9"), traits)


def shows_signs(random: Random, who: Person, traits: Traits = PEOPLE) -> Person:
    """Returns the visitor with the signs that are drawn for them; only a Chromium can be old."""
    if random.random() < traits.data_centre:
        who = who._replace(address=f"{DATA_CENTRE}.{random.randrange(1, 255)}")
    if random.random() < traits.old_engine:
        text = _CHROME.sub(f"Chrome/{random.choice(_OLD)}", who.agent.text)
        who = who._replace(agent=AgentString(text, who.agent.device, who.agent.app))
    return who._replace(language="") if random.random() < traits.no_language else who


def delivered(random: Random, median: int = WRITTEN_MS) -> int:
    """Returns the time (ms) from a mail share to the delivery of the mail."""
    return int(random.lognormvariate(math.log(median), _SPREAD))
