"""Which sites have an endpoint for which event, as each process remembers it, and how many events an hour they get.

The writer asks this memory for every batch, so it must not ask the store: processes look once a second whether an
endpoint of any of them has changed. Which endpoints get an event is decided by their rows, when it is stored.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from grapevine.config.logging import Seldom
from grapevine.domain import ids
from grapevine.domain.periods import Clock
from grapevine.errors import StoreError
from grapevine.sites.cache import Site
from grapevine.store.repositories.webhooks import WebhookRepository
from grapevine.webhooks.signing import Random, new_id

log = logging.getLogger(__name__)
log.addFilter(Seldom())

SHARE_PROVEN: Final = "share.proven"
CONVERSION_CREATED: Final = "conversion.created"
ANSWER_CREATED: Final = "answer.created"
CASCADE_MILESTONE: Final = "cascade.milestone"
OF_BATCHES: Final = (SHARE_PROVEN, CONVERSION_CREATED, ANSWER_CREATED, CASCADE_MILESTONE)
"""The events that the writer finds in its batches; jobs find the others."""

MOST_AN_HOUR: Final = 1_000
"""Events of one kind that visitors can cause, such as ``share.proven`` and a page's ``conversion.created``, of a site
in an hour and a process. A flood of made-up returns must not become one of requests to the endpoints."""
MOST_OF_NETWORK: Final = 250
"""How many of these visits of one network may cause, so that one alone does not use up what others have."""
MOST_OWN_AN_HOUR: Final = 10_000
"""Events that no stranger can make up, bounded apart: conversions and answers reported with a key, such as a night's
import, and first returns through minted links, each of which has one."""

Kind = tuple[str, bool]
"""An event, and whether it is one that no stranger can make up."""
Bound = tuple[int, Kind, int | None]
"""A site, events of a kind, and the network whose visits cause them; None: all networks."""


class Subscriptions:
    """The memory of one process. ``find_site`` returns a site by its number, as long as it is there; ``on_event`` is
    called when events were committed, ``random`` draws their ids."""

    def __init__(
        self,
        repository: WebhookRepository,
        find_site: Callable[[int], Site | None],
        clock: Clock,
        random: Random,
        on_event: Callable[[], None],
    ) -> None:
        self._repository = repository
        self._version = -1
        self._random = random
        self._hour = 0
        self._sent: Counter[Bound] = Counter()
        self.find_site = find_site
        self.clock = clock
        self.on_event = on_event
        self._wanting: dict[str, frozenset[int]] = {}
        self.withheld = Counter(dict.fromkeys(OF_BATCHES, 0))
        """Events that exceeded the bound of an hour, since the process started."""

    @property
    def any_wanted(self) -> bool:
        """Whether a site has an endpoint for an event that the writer finds."""
        return bool(self._wanting)

    def wanting(self, name: str) -> frozenset[int]:
        """Returns the sites with an endpoint for an event of ``OF_BATCHES``."""
        return self._wanting.get(name, frozenset())

    async def look(self, versions: Mapping[str, int]) -> None:
        """Reads the endpoints when one has changed. Raises StoreError; then what was known goes on."""
        version = versions.get("webhooks", 0)
        if version != self._version:
            await self.read()
            self._version = version

    async def read(self) -> None:
        """Reads the endpoints. Raises StoreError."""
        wanted: dict[str, set[int]] = {}
        for site_id, events in await self._repository.subscriptions():
            for name in set(events.split()).intersection(OF_BATCHES):
                wanted.setdefault(name, set()).add(site_id)
        self._wanting = {name: frozenset(sites) for name, sites in wanted.items()}

    async def read_soon(self) -> None:
        """Reads the endpoints now if that is possible, else at the next look: the caller has changed one."""
        try:
            await self.read()
        except StoreError:
            self._version = -1

    def new_message(self) -> str:
        """Returns the id of a new event."""
        return new_id("msg", self._random)

    def room(self, site_id: int, kind: Kind, network: int | None) -> dict[Bound, int]:
        """Returns under which bounds an event falls that a visit from ``network`` causes, and how many events each of
        them still admits in this hour."""
        self._turn_hour()
        _, own = kind
        most: dict[Bound, int] = {(site_id, kind, None): MOST_OWN_AN_HOUR if own else MOST_AN_HOUR}
        if network is not None and not own:
            most[site_id, kind, network] = MOST_OF_NETWORK
        return {bound: number - self._sent[bound] for bound, number in most.items()}

    def posted(self, sent: Mapping[Bound, int], withheld: Mapping[tuple[int, Kind], int]) -> None:
        """Called when events were committed: counts them, by their bounds, and those that were too many."""
        self._turn_hour()
        self._sent.update(sent)
        for (site_id, (name, _)), number in withheld.items():
            self.withheld[name] += number
            log.warning("site %d has had so many %s in this hour that no more of them are sent", site_id, name)
        if sent:
            self.on_event()

    def _turn_hour(self) -> None:
        hour = self.clock() // ids.HOUR_MS
        if hour != self._hour:
            self._hour = hour
            self._sent.clear()


def no_subscriptions(repository: WebhookRepository) -> Subscriptions:
    """Returns the memory of a process in which no site is known to have an endpoint."""
    return Subscriptions(repository, lambda _: None, lambda: 0, bytes, lambda: None)
