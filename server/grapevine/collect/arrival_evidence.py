"""What the request of an arrival alone gives away, as bits of ``visit_evidence``."""

from __future__ import annotations

from typing import Final

from grapevine.collect.click_ids import ClickId
from grapevine.domain.visit_evidence import CLICK_ID, HIGHLIGHT_LINK

_TEXT_DIRECTIVE: Final = ":~:text="
"""Begins a text fragment (https://wicg.github.io/scroll-to-text-fragment/). Engines that know it hide it from a page's
address, and only code that reads it elsewhere can say it (``highlight``); the others leave it there."""


def arrival_evidence(decided_by: int, click: ClickId | None, url: str, *, highlight: bool) -> int:
    """Returns the evidence of an arrival whose source was decided by that code of ``visit_evidence.DECIDED_BY``."""
    clicked = 0 if click is None else CLICK_ID
    return decided_by | clicked | (HIGHLIGHT_LINK if highlight or _TEXT_DIRECTIVE in url else 0)
