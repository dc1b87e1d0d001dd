"""The store protocol: the duties of every backend, independent of a dialect.

A backend runs named queries (``query_runner``). Everything typed is built on that, once for all backends: ``Batch``
(what the writer changes in one transaction), ``readers`` (what analytics and exports read) and ``repositories`` (few
rows, read and changed by their owners).
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from grapevine.store.readers.exports import ExportReader
from grapevine.store.readers.reads import Reads
from grapevine.store.repositories.answers import AnswerRepository
from grapevine.store.repositories.api_keys import ApiKeyRepository
from grapevine.store.repositories.erasures import ErasureReader
from grapevine.store.repositories.feeds import FeedRepository
from grapevine.store.repositories.fingerprints import FingerprintRepository
from grapevine.store.repositories.floods import FloodReader
from grapevine.store.repositories.guards import GuardRepository
from grapevine.store.repositories.kept_answers import KeptAnswerRepository
from grapevine.store.repositories.leases import LeaseRepository
from grapevine.store.repositories.link_removals import LinkExpiryRepository
from grapevine.store.repositories.link_words import LinkWordRepository
from grapevine.store.repositories.links import LinkRepository
from grapevine.store.repositories.live import LiveRepository
from grapevine.store.repositories.mentions import MentionRepository
from grapevine.store.repositories.page_joins import PageJoinRepository
from grapevine.store.repositories.receipts import ReceiptRepository
from grapevine.store.repositories.retention import RetentionRepository
from grapevine.store.repositories.salts import SaltRepository
from grapevine.store.repositories.sessions import SessionRepository
from grapevine.store.repositories.silences import SilenceRepository
from grapevine.store.repositories.site_deletion import SiteDeletionRepository
from grapevine.store.repositories.sites import SiteRepository
from grapevine.store.repositories.spikes import SpikeRepository
from grapevine.store.repositories.verdicts import SuspectReader
from grapevine.store.repositories.webhooks import WebhookRepository
from grapevine.store.repositories.webmentions import WebmentionRepository
from grapevine.store.repositories.widget_files import WidgetFileRepository
from grapevine.store.write_batch import Batch


class Store(Protocol):
    """One database. Open it before use (which brings its schema up to date), close it at the end.

    ``batch`` is the only way to write what visitors do. To read: ``reads`` for analytics, ``quick`` for the same
    questions where they touch a handful of rows and many people wait for them, ``exports`` for whole tables,
    ``suspects`` and ``floods`` for the verdict job, ``erasures`` for the erasure of a visit. Small tables with their
    own changes: ``sites``, ``site_deletion``, ``api_keys``, ``kept_answers``, ``sessions``, ``salts``, ``leases``,
    ``links``, ``link_words``, ``link_expiry``, ``live``, ``fingerprints``, ``guards``, ``answers``, ``receipts``,
    ``retention``, ``page_joins``, ``mentions``, ``webmentions``, ``feeds``, ``webhooks``, ``spikes``, ``silences`` and
    ``widget_files``.

    ``shared`` says that processes on several machines may write at once, so that each needs a slot of its own,
    and ``max_concurrent_batches`` how many batches of one process it takes at once.
    """

    shared: bool
    max_concurrent_batches: int

    reads: Reads
    quick: Reads
    suspects: SuspectReader
    floods: FloodReader
    erasures: ErasureReader
    exports: ExportReader
    sites: SiteRepository
    site_deletion: SiteDeletionRepository
    api_keys: ApiKeyRepository
    kept_answers: KeptAnswerRepository
    sessions: SessionRepository
    salts: SaltRepository
    leases: LeaseRepository
    links: LinkRepository
    link_expiry: LinkExpiryRepository
    live: LiveRepository
    fingerprints: FingerprintRepository
    guards: GuardRepository
    link_words: LinkWordRepository
    answers: AnswerRepository
    receipts: ReceiptRepository
    retention: RetentionRepository
    page_joins: PageJoinRepository
    mentions: MentionRepository
    webmentions: WebmentionRepository
    webhooks: WebhookRepository
    feeds: FeedRepository
    spikes: SpikeRepository
    silences: SilenceRepository
    widget_files: WidgetFileRepository

    async def open(self) -> None:
        """Connects and migrates. Raises StoreError with the reason when the database cannot be used."""
        ...

    async def close(self) -> None:
        """Closes every connection; a store that is not open stays as it is."""
        ...

    def batch(self, *, durable: bool = True) -> AbstractAsyncContextManager[Batch]:
        """One transaction: committed when the block ends, rolled back when it raises.

        One that is not ``durable`` does not wait for the disk: when the machine fails it may be lost, as a whole, if no
        durable one was committed after it.
        """
        ...

    async def writable(self) -> bool:
        """Writes a row as large as a visit. Returns whether that succeeded."""
        ...

    def truncate_log(self) -> None:
        """Asks for the write-ahead log to be emptied, and for copies of rows in unused room of the file to be wiped, so
        that rows deleted up to now are in no file of the database.

        Call it after a deletion that has to be final. It returns at once; this is done within a minute, or when
        the store is closed, and as soon as no reader needs it. Does nothing on PostgreSQL, whose server keeps deleted
        rows until VACUUM and its log as long as it is set to (docs/backup.md).
        """
        ...
