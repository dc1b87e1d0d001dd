"""What an assistant is told where there is no result: one sentence, and what to do."""

from __future__ import annotations

import logging
from typing import Final

from grapevine.client import ApiError, UnexpectedAnswer
from grapevine.mcp_server.untrusted_text import harmless

log = logging.getLogger(__name__)

_LONGEST: Final = 600


def refusal_text(error: Exception) -> str:
    """Returns the text of an error for an assistant. What an unknown server answered goes into the log alone."""
    if isinstance(error, UnexpectedAnswer):
        log.warning("%s", harmless(str(error), most=_LONGEST))
        return (
            f"The answer (status {error.status}) is none of Grapevine's API. Is the address that `grapevine mcp` was "
            "given that of a Grapevine server of the same version?"
        )
    text = harmless(str(error), most=_LONGEST)
    if isinstance(error, ApiError) and any(field == "site" for field, _ in error.errors):
        text += " Start `grapevine mcp` with --site and the key of one site."
    return text
