"""Deletes pages that nothing names any more: a page that one visitor alone saw says who they are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from grapevine.store.rows import PageRow
from grapevine.store.write_batch import Batch
from grapevine.writer.recorder import EventRecorder


async def delete_unused_pages(
    batch: Batch, recorder: EventRecorder, site_id: int, pages: Iterable[int], today: int
) -> list[PageRow]:
    """Deletes those of ``pages`` that no visit, share or count names any more. Returns them."""
    gone = []
    for page_id in sorted(pages):
        deleted = await batch.erasures.delete_page_if_unused(site_id, page_id, today)
        if deleted is not None:
            gone.append(deleted)
            for day in range(today - 1, today + 2):
                batch.when_committed(partial(recorder.forget_page, site_id, page_id, day))
    return gone
