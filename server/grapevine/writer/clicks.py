"""Clicks on minted links: counted by the token that was followed, each once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from grapevine.domain.enums import SOURCES
from grapevine.domain.events import Click, Stored, VisitNotFound
from grapevine.store.rows import ShareKey
from grapevine.writer.guards import first_seen
from grapevine.writer.nonces import GUARD_CLICK
from grapevine.writer.state import BatchState, share_key


async def record(state: BatchState) -> None:
    """Counts the clicks on links that are stored. One whose link was deleted meanwhile is none."""
    clicks: Counter[ShareKey] = Counter()
    last: dict[ShareKey, int] = {}
    for index, event, _ in await first_seen(state, GUARD_CLICK, _of_stored_links(state)):
        state.outcomes[index] = Stored()
        key = share_key(event.site_id, event.token)
        clicks[key] += 1
        last[key] = max(event.at, last.get(key, 0))
    # In the order of their keys, so that concurrent batches take the same rows in the same order.
    keys = sorted(clicks, key=ShareKey.plain)
    await state.transaction.clicks.add([(*key.plain(), clicks[key], last[key]) for key in keys])


def _of_stored_links(state: BatchState) -> Iterator[tuple[int, Click, int]]:
    guard_key = state.shared.nonces.guard_key
    for index, event in state.of(Click):
        node = state.stored.get((event.site_id, event.token.visit_id))
        # The row is locked, and a deletion locks it, too: no count stays behind of a link that is gone.
        if node is None or node.source != SOURCES["link"]:
            state.outcomes[index] = VisitNotFound()
        else:
            yield index, event, guard_key("click", event.site_id, event.nonce)
