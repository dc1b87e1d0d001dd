"""A site whose pages are mentioned, with a clock that the test moves, and names of hosts that lead to this machine."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

from grapevine.domain import ids
from grapevine.domain.urls import page_id
from grapevine.egress.policy import EgressPolicy
from grapevine.mentions.checking import WebmentionReader
from grapevine.mentions.receiving import WebmentionReceiver
from grapevine.mentions.recording import MENTION_CREATED
from grapevine.sites.cache import SiteCache
from grapevine.store.repositories.mentions import MentionRow
from grapevine.store.repositories.webhooks import WebhookRow
from grapevine.store.rows import PageRow, SiteRow
from tests.support.backends import Backend

SITE: Final = 7
BEGAN: Final = ids.day_start(2500)
HERE: Final = EgressPolicy(["127.0.0.0/8"], plain_http=True)
PUBLIC: Final = EgressPolicy(plain_http=True)
PAGE: Final = "https://a.example/bread"


class MentionedSite:
    """A site with some pages. Hosts lead to 127.0.0.1 unless ``addresses`` names others."""

    def __init__(self, store: Backend) -> None:
        self.store = store
        self.now = BEGAN + 12 * ids.HOUR_MS
        self.events = 0
        self.addresses: dict[str, Sequence[str]] = {}
        self.looked_up: list[str] = []
        self.sites = SiteCache(store.sites, [b"k" * 32], lambda: self.now)

    async def begin(
        self, *pages: str, webmention: str = "on", origins: tuple[str, ...] = ("https://a.example",)
    ) -> None:
        """Adds the site with its pages, and an endpoint for its mentions."""
        await self.store.sites.add_site(
            SiteRow(
                site_id=SITE, key="site-a", name="a", salt="00" * 32, param="gv", place="auto", query="*",
                created_at=BEGAN, origins=origins, webmention=webmention,
            )
        )  # fmt: skip
        hook = WebhookRow("wh_1", SITE, "https://hooks.example/", "whsec_x", MENTION_CREATED, BEGAN)
        await self.store.webhooks.add(hook)
        await self.know(*(pages or (PAGE,)))

    async def know(self, *urls: str) -> None:
        """Stores pages, as visits do."""
        rows = [
            PageRow(
                site_id=SITE, page_id=(number := page_id(SITE, url)), cell=ids.hashed_cell(number), day=2500, url=url,
                title=None,
            )
            for url in urls
        ]  # fmt: skip
        async with self.store.batch() as batch:
            await batch.insert_visits(rows, [], [])

    def receiver(self, egress: EgressPolicy = HERE) -> WebmentionReceiver:
        """Takes webmentions as a process does."""
        return WebmentionReceiver(self.store, self.sites, egress, lambda: self.now)

    def reader(self, egress: EgressPolicy = HERE, **others: Any) -> WebmentionReader:
        """Reads sources as a process does."""
        return WebmentionReader(
            self.store, self.sites, egress, lambda: self.now, secrets.token_bytes, on_event=self._hear,
            lookup=self._look_up, **others,
        )  # fmt: skip

    async def take(self, source: str, target: str = PAGE) -> bool:
        """Takes a webmention."""
        return await self.receiver().take(source, target)

    async def read(self, minutes: int = 1, reader: WebmentionReader | None = None) -> dict[str, int]:
        """Lets some minutes pass, and reads what is due then. Returns what came of it."""
        self.now += minutes * 60_000
        reader = reader or self.reader()
        await reader.read_due()
        return {result: number for result, number in reader.results.items() if number}

    async def mentions(self, **wanted: Any) -> list[MentionRow]:
        """All mentions of the site."""
        return await self.store.mentions.mentions(SITE, 0, 1 << 60, 1_000, **wanted)

    async def waiting(self) -> list[tuple[str, int, int, int]]:
        """The source, attempts, checks and the minutes until the next attempt of each stored webmention."""
        rows = await self.store.look(
            "SELECT source_url, attempts, checks, next_at FROM webmentions ORDER BY source_url, target_url"
        )
        return [(url, attempts, checks, (next_at - self.now) // 60_000) for url, attempts, checks, next_at in rows]

    async def told(self) -> int:
        """How many events are on their way to webhooks."""
        return len(await self.store.webhooks.deliveries(SITE, "wh_1", 1_000))

    def _hear(self) -> None:
        self.events += 1

    async def _look_up(self, host: str, _port: int) -> Sequence[str]:
        self.looked_up.append(host)
        found = self.addresses.get(host, ("127.0.0.1",))
        if not found:
            raise OSError("there is no such host")
        return found
