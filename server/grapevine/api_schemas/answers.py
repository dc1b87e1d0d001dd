"""Parameters and bodies of the calls about answers."""

from __future__ import annotations

from typing import Annotated

import msgspec

from grapevine.analytics.answers import ClassName


class AnswerPath(msgspec.Struct, frozen=True):
    """The path of one answer."""

    id: Annotated[str, msgspec.Meta(examples=["4fQ0aZk31Lm7MbT2kQ9xZa"])]
    """The id of the answer, as in lists, exports and webhooks."""


class AnswerCorrection(msgspec.Struct, forbid_unknown_fields=True, rename={"class_": "class"}):
    """The class that an answer has."""

    class_: ClassName | None
    """The class; null takes a correction back, so that the rules decide again."""
