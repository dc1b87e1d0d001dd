"""Gives new links their words, in the transaction that makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from grapevine.errors import FieldError, GrapevineError, Invalid
from grapevine.links.words import MOST_WORDS, word_key
from grapevine.store.repositories.link_words import RESERVED_DAYS, RESERVED_MS, WordOfLink
from grapevine.store.repositories.links import LinkRow
from grapevine.store.write_batch import Batch
from grapevine.writer.nonces import Nonces

_TAKEN: Final = "is taken on this server, or looks or sounds too much like a word that is"
_TWICE: Final = "looks or sounds too much like the word of another link in this call"
_TOO_MANY: Final = (
    f"is one too many: a site has at most {MOST_WORDS:,} words, with those that were deleted in the last "
    f"{RESERVED_DAYS} days"
)


class WordsRefused(GrapevineError):
    """Words that cannot be had; ``reasons`` are by the place of their links in the call."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__("some words cannot be had")
        self.reasons = reasons

    def problem(self, *, is_list: bool) -> Invalid:
        """Returns the refusal of the call, whose links are those of a list or a single one."""
        return Invalid.of_all(
            [
                FieldError(f"links[{number}].word" if is_list else "word", reason)
                for number, reason in sorted(self.reasons.items())
            ]
        )


async def take_words(batch: Batch, nonces: Nonces, links: Sequence[LinkRow]) -> None:
    """Takes the words of new links. Raises WordsRefused, so that the transaction is rolled back."""
    keys = {number: word_key(nonces, link.word) for number, link in enumerate(links) if link.word is not None}
    if not keys:
        return
    if repeated := _repeated(keys.items()):
        raise WordsRefused(dict.fromkeys(repeated, _TWICE))
    now, site_id = links[0].created_at, links[0].site_id
    words = [WordOfLink(key, site_id, links[number].visit_id) for number, key in keys.items()]
    taken = await batch.words.take(words, now - RESERVED_MS)
    if refused := [number for number, key in keys.items() if key not in taken]:
        raise WordsRefused(dict.fromkeys(refused, _TAKEN))
    excess = await batch.words.number(site_id) - MOST_WORDS
    if excess > 0:
        raise WordsRefused(dict.fromkeys(list(keys)[-excess:], _TOO_MANY))


def _repeated(keys: Iterable[tuple[int, int]]) -> list[int]:
    """The numbers of those whose key an earlier one has."""
    first: dict[int, int] = {}
    return [number for number, key in keys if first.setdefault(key, number) != number]
