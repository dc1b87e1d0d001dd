"""The checks inside the database: its structure, and all counts against the rows that they were counted from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from grapevine.doctor.findings import Finding, bad, good
from grapevine.domain import channels, ids
from grapevine.domain.enums import DAY_KEYS, DEVICE_NAMES, NO_CHANNEL, SOURCE_NAMES
from grapevine.domain.periods import rfc3339
from grapevine.sites.lookup import site_named
from grapevine.store.query_runner import Snapshot
from grapevine.store.readers.reads import Reads
from grapevine.store.repositories.consistency import COMPARISONS, CountDifference, Recount
from grapevine.store.repositories.sites import SiteReader

MOST: Final = 5
"""How many differences of each comparison are shown."""

_AGREE: Final = {
    "counts by hour": "Every hour, source, channel and depth is what visits, shares and conversions say.",
    "counts by day": "Every day's channels, sources, depths and hours are the sums of the counts by hour.",
    "counts by page": "Every day and page is what visits, shares and conversions say.",
    "counts by week": "Every week and page is the sum of the counts by page.",
    "counts by device": "Every day, device and app is what visits, shares, conversions and unfurls say.",
    "visitors": "Every day's distinct visitors are those of its visits.",
    "views": "Each site's views are those of its visits; only totals can be compared, rows do not say when.",
    "days": "The three tables of counts agree on each day's views and unlinked visits, which have no rows.",
    "shares by page": "Every page's shares by channel are those that were made of it.",
    "shares": "Every share's returns are the visits that came through it.",
    "cascades": "Every summary is what its cascade's visits, shares and conversions say.",
    "chains": "Every visit hangs where the share it came through puts it.",
    "joined lines of logs": "Every line of an access log that was joined with a visit has that visit.",
    "links": "Every tracked link has its node in the tree, its names, its word and its clicks.",
}
_REPAIR: Final = (
    "Rows are the truth, counts were raised beside them in one transaction: something else wrote to the database, or "
    "a part of it was lost. Restore a backup if one is right."
)
_BY_PAGE: Final = frozenset({"counts by page", "counts by week", "shares by page"})
_DELETING: Final = "A site is being deleted (see above): run this again when that has ended."
_JOINING: Final = (
    "Addresses of one page are being joined, once, in the background while the server runs: run this again in some "
    "minutes."
)


async def examine(moment: Snapshot, site: str | None, *, is_file: bool) -> AsyncIterator[Finding]:
    """Checks the structure of a SQLite file, then sites, then each comparison. Raises UnknownSite."""
    faults = await moment.faults(MOST) if is_file else []
    if faults:
        yield bad("file", "; ".join(faults), "Restore a backup; what is readable can be saved with: sqlite3 .recover")
        return
    if is_file:
        yield good("file", "Its structure is whole.")
    recount = Recount(moment)
    rows = await SiteReader(moment).sites()
    sites = {row.site_id: row.key for row in rows}
    chosen = None if site is None else site_named(rows, site).site_id
    if sites:
        yield good("sites", f"{len(sites)} of them.")
    else:
        yield bad("sites", "There is none.", "Add one: grapevine site add NAME --origin https://example.com")
    unfinished = await recount.unfinished_deletions()
    for key, name in unfinished:
        yield bad(
            "deleted sites",
            f"The deletion of {name} ({key}) has begun and has not ended.",
            f"If it does not run at the moment, run it again: grapevine site delete {key}",
        )
    joins_pages = await recount.joins_pages()
    for name in COMPARISONS:
        found = await recount.compare(name, chosen, MOST)
        if not found.differing:
            yield good(name, _AGREE[name])
            continue
        urls = await _urls(Reads(moment), found.differences)
        yield Finding(
            check=name,
            ok=False,
            says=f"{found.differing:,} {'place differs' if found.differing == 1 else 'places differ'}.",
            fix=_DELETING if unfinished else _JOINING if joins_pages and name in _BY_PAGE else _REPAIR,
            places=found.differing,
            differences=tuple(_in_words(each, sites, urls) for each in found.differences),
        )


async def _urls(reads: Reads, differences: list[CountDifference]) -> Mapping[int, str]:
    found: dict[int, str] = {}
    for each in differences:
        page = dict(each.key).get("page")
        if page is not None and page not in found:
            found |= await reads.pages.urls(each.site_id, [page])
    return found


def _in_words(difference: CountDifference, sites: Mapping[int, str], urls: Mapping[int, str]) -> dict[str, Any]:
    """Returns a difference as the contract has it: keys, names, dates and times instead of numbers."""
    named = {name: _NAMES.get(name, _unchanged)(value) for name, value in difference.key}
    if "page" in named:
        named["page"] = urls.get(named["page"], named["page"])
    if "dimension" in named:
        named["dimension"] = _DIMENSIONS.get(named["dimension"], named["dimension"])
        named["key"] = _KEYS.get(named["dimension"], _unchanged)(named["key"])
    name = _NAMES.get(difference.measure, _unchanged)
    return {
        "site": sites.get(difference.site_id, difference.site_id),
        **named,
        "measure": difference.measure,
        "stored": name(difference.stored),
        "counted": name(difference.counted),
    }


def _unchanged(value: Any) -> Any:
    return value


def _visit(value: int | None) -> str | None:
    return None if value is None else ids.visit_text(value)


def _time(value: int | None) -> str | None:
    return rfc3339(value) if value else None


def _hour(value: int) -> str:
    return rfc3339(value * ids.HOUR_MS)


def _day(value: int) -> str:
    return ids.day_date(value).isoformat()


def _channel(value: int) -> str | None:
    return None if value == NO_CHANNEL else channels.NAMES.get(value, str(value))


def _source(value: int) -> str:
    return SOURCE_NAMES.get(value, str(value))


def _device(value: int) -> str:
    return DEVICE_NAMES.get(value, str(value))


_NAMES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "hour": _hour, "day": _day, "source": _source, "channel": _channel, "device": _device, "visit": _visit,
    "root": _visit, "sharer": _visit, "parent": _visit, "last_at": _time,
}  # fmt: skip
_DIMENSIONS: Final = {code: name for name, code in DAY_KEYS.items()}
_KEYS: Final[Mapping[str, Callable[[Any], Any]]] = {"channel": _channel, "source": _source}
