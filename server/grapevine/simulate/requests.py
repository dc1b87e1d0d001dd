"""The requests of a world, in order of arrival; tokens are named by share, since only the server knows them."""

from __future__ import annotations

from typing import NamedTuple

from grapevine.simulate.people import Person
from grapevine.simulate.truth import Link


class SimulatedVisit(NamedTuple):
    """``POST /v1/visits``. ``damage`` is the index of the changed character of the link's token."""

    at: int
    who: Person
    visit: int
    path: str
    query: str
    title: str
    referrer: str
    nonce: str
    link: Link | None = None
    damage: int | None = None
    own: bool = False


class SimulatedView(NamedTuple):
    """``POST /v1/views``: the person opens one more page."""

    at: int
    who: Person
    visit: int
    path: str
    title: str
    nonce: str


class SimulatedShare(NamedTuple):
    """``POST /v1/shares``: the widget reports that the person shared ``link``."""

    at: int
    who: Person
    link: Link
    path: str
    title: str


class SimulatedConversion(NamedTuple):
    """``POST /v1/conversions``. ``value`` is a decimal number of ``currency``, both null for a goal without a value."""

    at: int
    who: Person
    visit: int
    goal: str
    nonce: str
    value: str | None
    currency: str | None


class SimulatedAnswer(NamedTuple):
    """``POST /v1/answers``: what the person writes to "how did you hear about us?"."""

    at: int
    who: Person
    visit: int
    text: str
    nonce: str


class SimulatedClick(NamedTuple):
    """``GET /s/TOKEN``, by a person or a robot."""

    at: int
    who: Person
    link: Link


SimulatedRequest = (
    SimulatedVisit | SimulatedView | SimulatedShare | SimulatedConversion | SimulatedAnswer | SimulatedClick
)
