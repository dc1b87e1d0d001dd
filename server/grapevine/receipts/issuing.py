"""Issues receipts: made and stored when they are first asked for, the same one from then on until it is revoked.

One transaction reads the conversion and its chain, signs and stores. It holds the visit's cascade, as erasures
and refunds do, so that none of them comes between what a receipt says and its row.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from grapevine.analytics.links import names_at_roots
from grapevine.domain import ids
from grapevine.domain.enums import CONVERSION_REPORTER_NAMES
from grapevine.domain.money import decimal
from grapevine.domain.periods import Clock
from grapevine.errors import NotFound
from grapevine.keyring.keyring import KeyRing
from grapevine.receipts.conversion_receipt import ConversionReceipt, KnownSharer, Missing, RevokedReceipt
from grapevine.receipts.document import (
    RECEIPT_TYPE,
    REVOCATION_TYPE,
    Header,
    PaidGoal,
    Reason,
    Receipt,
    Revocation,
)
from grapevine.receipts.ed25519 import SigningKey, load_signatures
from grapevine.receipts.hops import RULE, marks_of_chain, passings, receipt_hops
from grapevine.receipts.jws import compact, parse, signing_input
from grapevine.receipts.keys import signing_key
from grapevine.receipts.pseudonyms import new_salt, pseudonym
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.repositories.receipts import PaidConversion, ReceiptChanges, ReceiptRow
from grapevine.store.rows import VisitRow
from grapevine.store.write_batch import Batch
from grapevine.writer.nonces import GUARD_CONVERSION

MOST_OF_CONVERSION: Final = 20
"""Receipts of one conversion, revoked ones included: each takes a call with a key, and something that revoked the one
before. A conversion has one, and a few with several refunds."""

_RECEIPT_BYTES: Final = 16
_RECEIPT_ID: Final = re.compile(r"[0-9a-f]{32}")


class Signer:
    """Signs for a site with the newest secret key that every process accepts; ``issuer`` is the server's address."""

    def __init__(self, site: Site, keyring: KeyRing, issuer: str) -> None:
        self.site = site
        self.issuer = issuer
        self.key: SigningKey = signing_key(keyring.keys[-1], site.row)

    def sign(self, typ: str, payload: msgspec.Struct) -> str:
        """Returns a signed text."""
        signed = signing_input(Header(alg="EdDSA", kid=self.key.kid, typ=typ), payload)
        return compact(signed, self.key.sign(signed))

    def revocation(self, row: ReceiptRow) -> tuple[str, Revocation]:
        """Returns the revocation of a receipt that is revoked, signed and plain."""
        reason: Reason = msgspec.convert(row.reason, Reason)
        says = Revocation(
            iss=self.issuer,
            site=self.site.key,
            receipt=row.receipt_id,
            revoked=_day(row.revoked_at or 0),
            reason=reason,
        )
        return self.sign(REVOCATION_TYPE, says), says


class Receipts:
    """Issues the receipts of conversions, and signs their revocations."""

    def __init__(self, store: Store, keyring: KeyRing, clock: Clock) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._known_keys: set[tuple[int, str]] = set()

    async def receipt(self, site: Site, event_key: int, issuer: str) -> ConversionReceipt:
        """Returns the receipt of a conversion, made now where there is none that is good.

        Raises NotFound, SignaturesMissing, and StoreError as the store does.
        """
        await load_signatures()
        signer = Signer(site, self._keyring, issuer)
        stored = self._store.receipts
        visit_id = await stored.visit_of_guard(site.site_id, GUARD_CONVERSION, event_key)
        if visit_id is None:
            raise _not_found()
        rows = await stored.of_conversion(site.site_id, visit_id, event_key)
        missing: Missing | None = None
        if _good(rows) is None:
            async with self._store.batch() as batch:
                missing = await self._issue(batch, signer, visit_id, event_key)
            rows = await stored.of_conversion(site.site_id, visit_id, event_key)
        if any(row.revoked_at is not None for row in rows):
            await self._keep_key(signer)
        return await self._answer(signer, visit_id, event_key, rows, missing)

    async def revocation(self, site: Site, receipt_id: str, issuer: str) -> tuple[str, Revocation] | None:
        """Returns the revocation of a receipt, signed and plain; None where it is good. Raises as ``receipt``."""
        row = await self._store.receipts.by_id(site.site_id, receipt_id)
        if row is None:
            raise NotFound(
                "This site knows no receipt of that id: it was never issued here, or the visit of its conversion is "
                "past retention."
            )
        if row.revoked_at is None:
            return None
        await load_signatures()
        signer = Signer(site, self._keyring, issuer)
        await self._keep_key(signer)
        return signer.revocation(row)

    async def _issue(self, batch: Batch, signer: Signer, visit_id: int, event_key: int) -> Missing | None:
        """Stores a receipt, unless another caller has just done so. Returns why there can be none."""
        site_id, changes = signer.site.site_id, batch.receipts
        held = await batch.held_visits([(site_id, visit_id, ids.cell_of(visit_id))])
        visit = held.get((site_id, visit_id))
        conversion = await changes.conversion(site_id, visit_id, event_key)
        if visit is None or visit.is_erased or conversion is None:
            raise _not_found()
        rows = await changes.of_conversion(site_id, visit_id, event_key)
        if _good(rows) is not None:
            return None
        if visit.verdict is not None:
            return "verdict"
        if len(rows) >= MOST_OF_CONVERSION:
            return "too-many"
        amount = await _amount(changes, signer.site, visit_id, event_key, conversion)
        if amount == 0 and conversion.value:
            return "refunded"
        await self._sign_and_store(batch, signer, visit, event_key, conversion, amount)
        return None

    async def _sign_and_store(
        self,
        batch: Batch,
        signer: Signer,
        visit: VisitRow,
        event_key: int,
        conversion: PaidConversion,
        amount: int | None,
    ) -> None:
        site_id, changes = visit.site_id, batch.receipts
        climbed = await changes.chain(site_id, visit.visit_id)
        named = {each.visit_id for each in climbed} | {each.sharer_id for each in climbed if each.sharer_id is not None}
        stored = {
            row.visit_id: row
            for row in (await batch.visits([(site_id, each, visit.cell) for each in sorted(named)])).values()
        }
        chain = [stored[each.visit_id] for each in climbed if each.visit_id in stored]
        passed = passings(chain, stored, amount)
        now, salt = self._clock(), new_salt()
        says = Receipt(
            iss=signer.issuer,
            site=signer.site.key,
            receipt=secrets.token_hex(_RECEIPT_BYTES),
            issued=_day(now),
            conversion=PaidGoal(
                goal=conversion.goal,
                day=_day(conversion.at),
                amount=None if amount is None else decimal(amount),
                currency=None if amount is None else conversion.currency,
                reported_by=_reporter(conversion.reported_by),
            ),
            rule=RULE,
            marks=marks_of_chain(chain),
            hops=receipt_hops(passed, salt),
        )
        row = ReceiptRow(
            receipt_id=says.receipt,
            kid=signer.key.kid,
            issued_at=now,
            document=signer.sign(RECEIPT_TYPE, says),
            pseudonym_salt=salt,
            revoked_at=None,
            reason=None,
        )
        await changes.add_key(site_id, signer.key.kid, signer.key.public_key, now)
        await changes.insert(site_id, visit.visit_id, event_key, row, (each.sharer_id for each in passed))

    async def _keep_key(self, signer: Signer) -> None:
        """Stores the public key that this process signs with, once."""
        known = signer.site.site_id, signer.key.kid
        if known not in self._known_keys:
            await self._store.receipts.add_key(*known, signer.key.public_key, self._clock())
            self._known_keys.add(known)

    async def _answer(
        self,
        signer: Signer,
        visit_id: int,
        event_key: int,
        rows: Sequence[ReceiptRow],
        missing: Missing | None,
    ) -> ConversionReceipt:
        good = _good(rows)
        document = None if good is None else good.document
        says = None if document is None else msgspec.json.decode(parse(document).payload, type=Receipt)
        revoked = [(row.receipt_id, *signer.revocation(row)) for row in rows if row.revoked_at is not None]
        return ConversionReceipt(
            conversion=ids.key_text(event_key),
            document=document,
            says=says,
            missing=missing,
            sharers=await self._sharers(signer.site, visit_id, good, says),
            revoked=[RevokedReceipt(receipt=name, document=text, says=what) for name, text, what in revoked],
        )

    async def _sharers(
        self, site: Site, visit_id: int, row: ReceiptRow | None, says: Receipt | None
    ) -> list[KnownSharer]:
        """Returns the pseudonyms that stand for minted links: one of a chain at most can, the node at its root."""
        if row is None or says is None or row.pseudonym_salt is None:
            return []
        roots = await self._store.reads.links.at_roots(site.site_id, [visit_id])
        names = await names_at_roots(self._store.reads, site, [visit_id])
        found = []
        for visit, link in roots.items():
            name = pseudonym(row.pseudonym_salt, link.visit_id)
            if any(hop.sharer == name for hop in says.hops):
                found.append(KnownSharer(sharer=name, link=names[visit]))
        return found


async def _amount(
    changes: ReceiptChanges, site: Site, visit_id: int, event_key: int, conversion: PaidConversion
) -> int | None:
    """Returns what counts of a conversion after refunds, in millionths; None where no value does."""
    if conversion.value is None or conversion.reported_by < site.least_reporter:
        return None
    return conversion.value + await changes.refunded(site.site_id, visit_id, event_key)


def _good(rows: Sequence[ReceiptRow]) -> ReceiptRow | None:
    return next((row for row in rows if row.revoked_at is None), None)


def _reporter(code: int) -> Literal["page", "key"]:
    return "key" if CONVERSION_REPORTER_NAMES[code] == "key" else "page"


def _day(at: int) -> str:
    return ids.day_date(ids.day_at(at)).isoformat()


def is_receipt_id(text: str) -> bool:
    """Returns whether ``text`` has the form of a receipt's id."""
    return _RECEIPT_ID.fullmatch(text) is not None


def _not_found() -> NotFound:
    return NotFound(
        "This site has no conversion of that id: it is another site's, its visit was erased or is past retention, or "
        "it is a refund, which has no receipt of its own."
    )
