"""The row of an answer to "how did you hear about us?"."""

from __future__ import annotations

import msgspec

from grapevine.domain import channels, enums, ids


class AnswerRow(msgspec.Struct, frozen=True, array_like=True):
    """The answer of a visitor; ``visit_id`` is 0 where no visit was named. The schema says what the columns mean."""

    site_id: int
    visit_id: int
    cell: int
    event_key: int
    at: int
    text: str
    contact: str | None
    class_: str | None = None
    channel: int | None = None
    rules: int | None = None
    corrected: str | None = None
    reported_by: int = 0

    @property
    def answer_id(self) -> str:
        """The public id."""
        return ids.visit_text(self.visit_id) + ids.key_text(self.event_key)

    @property
    def meaning(self) -> str | None:
        """The class that counts: a person's before that of the rules; None before a job has classified it."""
        return self.corrected or self.class_

    @property
    def class_by(self) -> str | None:
        """Who gave the class that counts: `person` or `rule`."""
        return "person" if self.corrected else "rule" if self.class_ else None

    @property
    def channel_name(self) -> str | None:
        """The channel that the text names."""
        return None if self.channel is None else channels.NAMES[self.channel]

    @property
    def said_by(self) -> str:
        """Who reported it, of CONVERSION_REPORTERS."""
        return enums.CONVERSION_REPORTER_NAMES[self.reported_by]
