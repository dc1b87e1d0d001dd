"""The numbers of a period: from the narrow tables of counts where those suffice, else from the rows."""

from __future__ import annotations

from grapevine.analytics import count_tables, metrics
from grapevine.analytics.count_tables import added, check_app, counts_by, scope_of
from grapevine.analytics.metrics import EVERYTHING, Filters, Summary
from grapevine.domain import enums, money
from grapevine.domain.periods import Period
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.store.readers.scope import Scope


async def period_summary(reads: Reads, site: Site, period: Period, filters: Filters = EVERYTHING) -> Summary:
    """Returns the summary of ``period`` (whole UTC days), restricted to ``filters``."""
    await check_app(reads, period, filters, "channel")
    scope = await scope_of(reads, site, period, filters)
    table = count_tables.table_of(filters, "channel")
    if table is not None:
        by_channel = await reads.summary.counts(table, scope, "channel")
        counts = added(by_channel.values())
    else:
        # The channel of a share stands neither in the counts of pages nor in those of devices.
        by_channel = await reads.summary.shares(scope, "channel")
        counts = added((await counts_by(reads, scope, filters, None, with_visitors=True)).values())
    # Asked for without a conversion in the counts, too: refunds of earlier ones may have their value in the period.
    converted = await reads.summary.conversions(scope, None)
    drops, bound_hits = await reads.summary.refused_and_bounded(scope)
    return metrics.summarize(
        counts,
        metrics.share_numbers(by_channel),
        unfurls=await _unfurls(reads, scope, filters),
        conversions=sum(one.times for one in converted),
        value=money.amounts((one.currency, one.worth) for one in converted),
        conversions_by=metrics.totals_by_reporter(
            (one.reported_by, one.times, one.currency, one.worth) for one in converted
        ),
        drops=drops,
        suspects=await suspect_counts(reads, scope),
        bound_hits={enums.BOUND_KIND_NAMES[kind]: events for kind, events in bound_hits.items()},
    )


async def suspect_counts(reads: Reads, scope: Scope) -> dict[str, int]:
    """How many visits of ``scope`` have each verdict, in the order of ``VERDICTS``; erased visits are left out."""
    found = {code: visits for _, code, visits in await reads.summary.suspects(scope, None)}
    return {verdict: found.get(code, 0) for verdict, code in enums.VERDICTS.items()}


async def _unfurls(reads: Reads, scope: Scope, filters: Filters) -> dict[str, int]:
    if filters == EVERYTHING:
        return await reads.summary.unfurls_by_app(scope)
    return {
        app: unfurls for _, app, unfurls in sorted(await reads.summary.unfurls(scope, None), key=lambda row: row[1])
    }
