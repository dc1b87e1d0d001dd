"""Finds what somebody meant who mistyped a name: a command, an option, a setting, a site."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_LONGEST: Final = 100
_SIMILAR: Final = 0.6
"""difflib's own bound: two names are similar when 60 % of their letters follow each other in both."""


def closest(typed: str, names: Iterable[str]) -> str | None:
    """Returns the name that is most like what was typed, in whatever case; None where none is similar."""
    spelled = {name.casefold(): name for name in names}
    found = get_close_matches(typed[:_LONGEST].casefold(), spelled, n=1, cutoff=_SIMILAR)
    return spelled[found[0]] if found else None


def did_you_mean(typed: str, names: Iterable[str]) -> str:
    """Returns ``; did you mean X?`` to follow a refusal; empty where no name is similar."""
    found = closest(typed, names)
    return "" if found is None else f"; did you mean {found}?"
