"""Stored visits that are taken for none of a person, so that no other number has them in it."""

from __future__ import annotations

from grapevine.domain.enums import VERDICTS
from grapevine.store.readers.reads import Reads, Scope


async def suspects(reads: Reads, scope: Scope) -> dict[str, int]:
    """How many visits of ``scope`` have each of ``VERDICTS``, in their order; what was erased since is not in it."""
    found = await reads.suspects(scope)
    return {verdict: found.get(code, 0) for verdict, code in VERDICTS.items()}
