"""Click ids in addresses: which parameter stands for which source, a source per row in ``click_ids.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from grapevine.collect.visitor_hash import VisitorSalts, click_sight
from grapevine.domain.enums import SOURCES
from grapevine.domain.events import ArrivingClick

SHORTEST: Final = 8
"""Characters that a click id has at least. The shortest ones known, Instagram's, have 16; what people and templates
write in its place (``1``, ``test``) would be "seen again" all day."""


class ClickIdRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A parameter in lower case, and the source that it stands for; ``source`` is where that is documented."""

    parameter: str
    medium: Literal["social", "campaign", "search"]
    source: str


class ClickIdTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table; of several parameters in one address the first row counts."""

    click_id: tuple[ClickIdRow, ...]


class ClickId(NamedTuple):
    """A click id of an address; ``source`` is a code of ``enums.SOURCES``."""

    parameter: str
    value: str
    source: int


@cache
def click_ids_listed() -> ClickIdTable:
    """Returns the table that the package carries."""
    return msgspec.convert(
        tomllib.loads(files("grapevine.collect").joinpath("click_ids.toml").read_text("utf-8")), ClickIdTable
    )


def click_id_of(url: str, names: frozenset[str]) -> ClickId | None:
    """Returns the click id of an address, of which ``names`` are the query's names in lower case; None without one."""
    if names.isdisjoint(_parameters()):
        return None
    values = {name.lower(): value for name, value in reversed(parse_qsl(urlsplit(url).query))}
    for parameter, source in _parameters().items():
        value = values.get(parameter, "")
        if len(value) >= SHORTEST:
            return ClickId(parameter, value, source)
    return None


def arriving_click(
    click: ClickId, salts: VisitorSalts, day: int, site_id: int, visitor: int, visitor_before: int
) -> ArrivingClick:
    """Returns a click id as the writer judges it: hashed under the salts of a day number and of the day before.

    Not for driven browsers: many are scanners ahead of the person who clicked, and must not take the first sight away.
    """
    return ArrivingClick(
        click.source,
        click_sight(salts.of_day(day), site_id, click.parameter, click.value, visitor),
        click_sight(salts.of_day(day - 1), site_id, click.parameter, click.value, visitor_before),
    )


@cache
def _parameters() -> dict[str, int]:
    return {row.parameter: SOURCES[row.medium] for row in click_ids_listed().click_id}
