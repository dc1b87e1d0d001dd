"""Texts that no stranger can choose: each is one of a closed set, or has a form in which no sentence can be written.

Fields are listed by name. The value of a listed field is compared with its form whenever it is passed on, and is
``(unknown)`` where it has another: a field of the same name that a later version fills with what a visitor wrote, or a
server that is none of ours, gets nothing past the list. Every text field that is not listed is marked as untrusted.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, get_args

from grapevine.analytics.models.attribution import MODELS
from grapevine.analytics.models.dark_evidence.estimate import NoEstimate
from grapevine.domain import channels, enums, tokens
from grapevine.domain.enums import OTHER_NAME

UNKNOWN: Final = "(unknown)"


class ClosedText(NamedTuple):
    """The form of a text: one of ``names``, or what ``pattern`` matches as a whole. ``title`` names it in schemas."""

    title: str
    description: str
    names: tuple[str, ...] = ()
    pattern: str = ""

    def checked(self, text: str) -> str:
        """Returns ``text``, or ``UNKNOWN`` where it has another form."""
        if text in self.names or (self.pattern and re.fullmatch(self.pattern, text, re.ASCII)):
            return text
        return UNKNOWN

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        if not self.pattern:
            return {"type": "string", "enum": [*self.names, UNKNOWN], "description": self.description}
        forms = "|".join([self.pattern, *map(re.escape, (*self.names, UNKNOWN))])
        return {"type": "string", "pattern": f"^(?:{forms})$", "description": self.description}


_LETTERS: Final = "[0-9A-Za-z]"
VISIT: Final = ClosedText("Visit", "A visit's id.", pattern=f"{_LETTERS}{{11}}")
TOKEN: Final = ClosedText("Token", "A share token.", pattern=f"{_LETTERS}{{{tokens.LENGTH}}}")
TIME: Final = ClosedText("Time", "A time in UTC, RFC 3339.", pattern=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
DECIMAL: Final = ClosedText("Decimal", "An exact decimal number.", pattern=r"-?\d{1,40}(?:\.\d{1,6})?")
CURRENCY: Final = ClosedText("Currency", "A currency, ISO 4217.", pattern="[A-Z]{3}")
CHANNEL: Final = ClosedText("Channel", "How it was shared.", names=tuple(channels.CODES))
SOURCE: Final = ClosedText("Source", "Where the visit came from.", names=tuple(enums.SOURCES))
DEVICE: Final = ClosedText("Device", "The kind of device.", names=tuple(enums.DEVICES))
VERDICT: Final = ClosedText("Verdict", "Why the visit is not taken for a person's.", names=tuple(enums.VERDICTS))
DIMENSION_KEY: Final = ClosedText(
    "DimensionKey",
    "A channel, source or kind of device; `63+` are all depths from 63 on.",
    names=tuple(dict.fromkeys((*channels.CODES, *enums.SOURCES, *enums.DEVICES, "63+"))),
)
CREDITED_SHARE: Final = ClosedText(
    "CreditedShare", "A share token; `(other)` adds up all further shares.", names=(OTHER_NAME,), pattern=TOKEN.pattern
)
REPORTER: Final = ClosedText("Reporter", "Who reported it.", names=tuple(enums.CONVERSION_REPORTERS))

FIELDS: Final = {
    "at": TIME,
    "started_at": TIME,
    "last_at": TIME,
    "visit": VISIT,
    "parent": VISIT,
    "root": VISIT,
    "token": TOKEN,
    "channel": CHANNEL,
    "source": SOURCE,
    "device": DEVICE,
    "verdict": VERDICT,
    "class": ClosedText("AnswerClass", "What an answer means.", names=enums.ANSWER_CLASSES),
    "conversions": DECIMAL,
    "value": DECIMAL,
    "currency": CURRENCY,
    "model": ClosedText("Model", "How credit was given.", names=MODELS),
    "reported_by": ClosedText("ShareReporter", "Who reported it.", names=tuple(enums.SHARE_REPORTERS)),
    "seen_by": ClosedText("SeenBy", "What showed it where no script did.", names=("log",)),
    "method": ClosedText("Method", "The version of the method of the estimate.", pattern="[a-z]{1,20}-[0-9]{1,4}"),
    "expected": ClosedText("Day", "A date of the calendar.", pattern=r"\d{4}-\d\d-\d\d"),
    "reason": ClosedText("NoEstimate", "Why there is no estimate.", names=get_args(NoEstimate)),
}
"""By the name of the field, as it is written in JSON."""

KEYS: Final = {
    "value": CURRENCY,
    "drops": ClosedText("DropReason", "Why they were refused.", names=enums.DROP_REASONS),
    "suspects": VERDICT,
    "bound_hits": ClosedText("BoundKind", "What visitors may invent.", names=tuple(enums.BOUND_KINDS)),
    "conversions_by": REPORTER,
}
"""The keys of an object whose keys are no fields, by its name. All others become a list whose names are marked."""
