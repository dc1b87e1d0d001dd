"""Words of minted links, as keyed hashes of what all their spellings have in common (``link_words.sql``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.repository import Repository

RESERVED_DAYS: Final = 90
"""So many days a deleted word goes to no other site: by then, what was printed or said is hardly followed any more."""
RESERVED_MS: Final = RESERVED_DAYS * ids.DAY_MS

_AT_ONCE: Final = 500


class LinkOfWord(NamedTuple):
    """The link that a word leads to."""

    site_id: int
    visit_id: int


class WordOfLink(NamedTuple):
    """A word that a link has, or is to have."""

    word_key: int
    site_id: int
    visit_id: int

    def row(self) -> tuple[int, int, int, int]:
        """Its columns, with the cell of the word."""
        return self.word_key, ids.hashed_cell(self.word_key), self.site_id, self.visit_id


class LinkWordRepository(Repository):
    """Finds links by their words, and forgets words that are kept no longer."""

    async def link(self, word_key: int) -> LinkOfWord | None:
        """Returns the link that a word leads to, if it leads to one."""
        rows = await self._read("link_of_word", cell=ids.hashed_cell(word_key), word_key=word_key)
        return LinkOfWord(*rows[0]) if rows else None

    async def forget(self, before: int) -> None:
        """Forgets the words that were deleted before a time (UTC milliseconds), few in each transaction."""
        while rows := await self._read("freed_words", before=before, limit=_AT_ONCE):
            async with self._transaction() as change:
                await change.run("forget_words", rows, before=before)


class LinkWords:
    """The changes of words in one transaction."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def number(self, site_id: int) -> int:
        """Returns how many words a site has, with those that it deleted and that are still kept from other sites."""
        return int((await self._run("words_of_site", site_id=site_id))[0][0])

    async def take(self, words: Sequence[WordOfLink], free_before: int) -> set[int]:
        """Gives links their words. Returns the keys of those that were free: never used, deleted by the same site, or
        deleted by another one before ``free_before`` (UTC milliseconds)."""
        found = await self._run("take_words", sorted(word.row() for word in words), free_before=free_before)
        return {key for (key,) in found}
