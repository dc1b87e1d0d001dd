"""Receipts of conversions, their revocations and public keys: one method a named query of ``sql/receipts.sql``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from grapevine.domain import ids
from grapevine.domain.redaction import redacted_repr
from grapevine.store.query_runner import Runner
from grapevine.store.readers.cascades import MOST_OF_CHAIN
from grapevine.store.readers.scope import visit_params
from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import CascadeVisit

MOST_KEYS: Final = 100
"""Public keys of a site that are shown, the newest: somebody who rotates the secret key once a month has these in eight
years."""
_GUARD_BITS: Final = 64
_NEVER: Final = (1 << 63) - 1
_ALL: Final = (1 << 31) - 1

GUARD_RECEIPT: Final = 6
"""The kind of the guards that find a receipt's visit by the id of the receipt (``writer/nonces.py`` has the others)."""

ReceiptKey = tuple[int, int, int, int, str]
"""A receipt as (site, visit, cell, event key, receipt)."""
ConversionKey = tuple[int, int, int, int]
"""A conversion as (site, visit, cell, event key)."""


class ReceiptRow(msgspec.Struct, frozen=True, array_like=True):
    """A receipt as it is stored, in the order of the queries' columns; the schema says what each column means."""

    receipt_id: str
    kid: str
    issued_at: int
    document: str | None
    pseudonym_salt: str | None
    revoked_at: int | None
    reason: str | None

    def __repr__(self) -> str:
        return redacted_repr(self)


class PaidConversion(msgspec.Struct, frozen=True, array_like=True):
    """What a receipt says of a conversion: ``value`` in millionths of ``currency`` as it was reported, refunds not
    taken off; ``reported_by`` is a code of CONVERSION_REPORTERS."""

    goal: str
    at: int
    value: int | None
    currency: str | None
    reported_by: int


class ReceiptKeyRow(msgspec.Struct, frozen=True, array_like=True):
    """The public half of a key that receipts of a site are signed with; ``created_at`` in UTC milliseconds."""

    kid: str
    public_key: str
    created_at: int


class _Reading:
    """What is read of receipts, within a transaction and outside of one."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def visit_of_guard(self, site_id: int, kind: int, key: int) -> int | None:
        """Returns the visit that a guard names; None where there is none."""
        found = await self._run("visit_of_guard", site_id=site_id, kind=kind, guard_key=key, cell=ids.hashed_cell(key))
        return found[0][0] if found else None

    async def conversion(self, site_id: int, visit_id: int, event_key: int) -> PaidConversion | None:
        """Returns a conversion; None where it is not there, or is a refund."""
        params = visit_params(site_id, visit_id)
        found = await self._run("conversion_of_receipt", **params, event_key=event_key)
        return PaidConversion(*found[0]) if found else None

    async def refunded(self, site_id: int, visit_id: int, event_key: int) -> int:
        """Returns what was paid back of a conversion, in millionths: zero or less."""
        params = visit_params(site_id, visit_id)
        ((total,),) = await self._run("refunds_of_conversion", **params, event_key=event_key)
        return int(total)

    async def of_conversion(self, site_id: int, visit_id: int, event_key: int) -> list[ReceiptRow]:
        """Returns the receipts of a conversion in the order in which they were issued."""
        rows = await self._run("receipts_of_conversion", **visit_params(site_id, visit_id), event_key=event_key)
        return [ReceiptRow(*row) for row in rows]


class ReceiptRepository(Repository, _Reading):
    """Receipts, read by those who ask for one or for its state."""

    def __init__(self, reader: Runner, transaction: Any) -> None:
        Repository.__init__(self, reader, transaction)
        _Reading.__init__(self, reader)

    async def by_id(self, site_id: int, receipt_id: str) -> ReceiptRow | None:
        """Returns a receipt by its id, 32 hexadecimal digits; None where there is none."""
        visit_id = await self.visit_of_guard(site_id, GUARD_RECEIPT, guard_key(receipt_id))
        if visit_id is None:
            return None
        rows = await self._read("receipt_of_visit", **visit_params(site_id, visit_id), receipt_id=receipt_id)
        return ReceiptRow(*rows[0]) if rows else None

    async def keys(self, site_id: int) -> list[ReceiptKeyRow]:
        """Returns the public keys of a site, the newest first, at most ``MOST_KEYS``."""
        return [
            ReceiptKeyRow(*row) for row in await self._read("receipt_keys_of_site", site_id=site_id, limit=MOST_KEYS)
        ]

    async def add_key(self, site_id: int, kid: str, public_key: str, now: int) -> None:
        """Stores a public key, unless it is there."""
        async with self._transaction() as change:
            await change.run("insert_receipt_key", site_id=site_id, kid=kid, public_key=public_key, created_at=now)


class ReceiptChanges(_Reading):
    """The changes of receipts in a transaction that is open."""

    async def chain(self, site_id: int, visit_id: int) -> list[CascadeVisit]:
        """Returns the chain to a visit, its first one first, of at most 200 visits the last."""
        rows = await self._run("chain_to_visit", **visit_params(site_id, visit_id), most=MOST_OF_CHAIN)
        return [CascadeVisit(*row) for row in rows]

    async def insert(
        self, site_id: int, visit_id: int, event_key: int, row: ReceiptRow, sharers: Iterable[int]
    ) -> None:
        """Stores a receipt, the guard that finds it, and the visits that it has pseudonyms of."""
        place = visit_params(site_id, visit_id)
        await self._run(
            "insert_receipt",
            **place,
            event_key=event_key,
            receipt_id=row.receipt_id,
            kid=row.kid,
            issued_at=row.issued_at,
            document=row.document,
            pseudonym_salt=row.pseudonym_salt,
        )
        key = guard_key(row.receipt_id)
        guard = (site_id, GUARD_RECEIPT, key, ids.hashed_cell(key), _NEVER, None, visit_id)
        await self._run("insert_conversion_guards", [guard])
        own = (site_id, visit_id, place["cell"], event_key, row.receipt_id)
        await self._run("insert_receipt_sharers", [(*own, sharer) for sharer in sorted(set(sharers))])

    async def add_key(self, site_id: int, kid: str, public_key: str, now: int) -> None:
        """Stores a public key, unless it is there."""
        await self._run("insert_receipt_key", site_id=site_id, kid=kid, public_key=public_key, created_at=now)

    async def revoke_conversions(self, conversions: Sequence[ConversionKey], at: int, reason: str) -> None:
        """Revokes the receipts of some conversions at a time (UTC milliseconds)."""
        await self._revoke(await self._run("receipts_of_conversions", sorted(conversions)), at, reason)

    async def revoke_naming(
        self, visits: Iterable[tuple[int, int, int]], at: int, reason: str, *, limit: int = _ALL
    ) -> int:
        """Revokes receipts that are about visits (site, visit, cell): of their conversions, and of conversions below
        them with a pseudonym of them, at most ``limit`` of each. Returns how many."""
        named = sorted(visits)
        found = await self._run("good_receipts_of_visits", named, limit=limit)
        found += await self._run("receipts_with_sharers", named, limit=limit)
        await self._revoke(found, at, reason)
        return len(found)

    async def forget_sharers(self, visits: Sequence[tuple[int, int, int]]) -> None:
        """Makes the pseudonyms of receipts that name visits (site, visit, cell), deleted links, lead nowhere."""
        found = await self._run("receipts_with_sharers", sorted(visits), limit=_ALL)
        await self._run("forget_links_of_receipts", found)
        await self._run("delete_visits_as_sharers", sorted(visits))

    async def forget_visits(self, visits: Sequence[tuple[int, int, int]]) -> None:
        """Deletes the receipts of visits (site, visit, cell) that are deleted.

        Receipts of others that have pseudonyms of them stay, and so does whom these stand for: an erasure of a visit
        that is past retention finds them by it.
        """
        guards = [
            (site_id, GUARD_RECEIPT, key, ids.hashed_cell(key))
            for site_id, receipt_id in await self._run("receipt_ids_of_visits", visits)
            for key in (guard_key(receipt_id),)
        ]
        await self._run("delete_receipt_guards", sorted(guards))
        await self._run("delete_receipts_of_visits", visits)
        await self._run("delete_receipt_sharers_of_visits", visits)

    async def _revoke(self, receipts: Sequence[Sequence[Any]], at: int, reason: str) -> None:
        keys = sorted({tuple(key) for key in receipts})
        await self._run("revoke_receipts", keys, at=at, reason=reason)
        await self._run("delete_sharers_of_receipts", keys)


def guard_key(receipt_id: str) -> int:
    """Returns the key of a receipt's guard: the first 64 bits of its id, as a signed number."""
    number = int(receipt_id[: _GUARD_BITS // 4], 16)
    return number - (1 << _GUARD_BITS) if number >> (_GUARD_BITS - 1) else number
