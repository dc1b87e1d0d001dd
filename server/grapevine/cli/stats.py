"""``grapevine stats``: prints the summary of a period."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from rich.table import Table

from grapevine.analytics.metrics import FILTERS, Filters, Summary
from grapevine.analytics.summary import period_summary
from grapevine.cli.arguments import SITE_HELP, Commands, day
from grapevine.cli.context import CommandContext, counted
from grapevine.domain import ids
from grapevine.domain.periods import DEFAULT_DAYS, Period
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site

_FILTERS: Final = {
    "page": ("URL", "only visits that began on this page"),
    "channel": ("NAME", "only visits that came through this channel, and shares on it, such as copy or whatsapp"),
    "source": ("NAME", "only visits from this source, such as search or share"),
    "device": ("NAME", "only visits with this kind of device: desktop, phone, tablet or unknown"),
    "app": ("NAME", "only visits that came from this app, such as instagram"),
}


def register(commands: Commands) -> None:
    """Adds the command ``stats`` to the parser."""
    parser = commands.add(
        "stats",
        stats,
        "print the numbers of a period",
        examples=('grapevine stats "My shop"', 'grapevine stats "My shop" --from 2026-11-01 --to 2026-11-30'),
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument(
        "--from",
        dest="first",
        type=day,
        metavar="D",
        help=f"first day, in UTC (default: {DEFAULT_DAYS} days up to the last)",
    )
    parser.add_argument("--to", dest="last", type=day, metavar="D", help="last day, in UTC (default: today)")
    for name, (metavar, text) in _FILTERS.items():
        parser.add_argument(f"--{name}", metavar=metavar, help=text)


async def stats(context: CommandContext, arguments: Namespace) -> int:
    """Prints a site's summary of a period. Returns the exit status."""
    last = arguments.last or ids.day_date(ids.day_at(context.now()))
    period = Period(arguments.first or last - timedelta(days=DEFAULT_DAYS - 1), last)
    async with context.store_and_keys() as (store, settings):
        site = Site(await find_site(store.sites, arguments.site), settings.secret_keys)
        chosen = {name: value for name in FILTERS if (value := getattr(arguments, name)) is not None}
        summary = await period_summary(store.reads, site, period, Filters(**chosen))
    if arguments.json:
        context.say_json(summary)
        return 0
    table = Table(
        box=None, pad_edge=False, show_header=False, title_justify="left", title_style="bold", padding=(0, 2, 0, 0)
    )
    only = "".join(f", {name} {value}" for name, value in chosen.items())
    table.title = f"{site.row.name}, {period.first} to {period.last}{only}\n"
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for row in _rows(summary):
        table.add_row(*row)
    context.out.print(table)
    return 0


def _rows(summary: Summary) -> Iterable[tuple[str, str, str]]:
    shares, visitors = summary.shares, counted(summary.visitors, "visitor")
    yield "Visits", f"{summary.visits:,}", f"{visitors}, added up by day; {counted(summary.views, 'view')}"
    yield "Returns", f"{summary.returns:,}", f"{summary.same_network_returns:,} of them from the sharer's own network"
    yield "Self-returns", f"{summary.self_returns:,}", "sharers who opened their own link"
    yield "Shares", f"{shares.total:,}", f"{shares.reported:,} reported, {shares.proven:,} proven"
    yield "", "", f"{shares.dark:,} through dark channels, {shares.public:,} through public ones"
    yield "Dark share", _percent(summary.dark_share), "dark ÷ all shares"
    yield "Return share", _percent(summary.return_share), "returns ÷ visits"
    yield "K-factor", _ratio(summary.k_factor), "returns ÷ visits without self-returns"
    yield "Amplification", _ratio(summary.amplification), "visits for each that would have come anyway"
    yield "Link previews", f"{sum(summary.unfurls.values()):,}", _listed(summary.unfurls)
    value = " + ".join(f"{amount} {currency}" for currency, amount in summary.value.items())
    yield "Conversions", f"{summary.conversions:,}", value
    yield "Drops", f"{sum(summary.drops.values()):,}", _listed(summary.drops)
    if summary.bound_hits:
        yield "Beyond a bound", f"{sum(summary.bound_hits.values()):,}", _listed(summary.bound_hits)
    suspects = {verdict: visits for verdict, visits in summary.suspects.items() if visits}
    yield "Suspects", f"{sum(suspects.values()):,}", _listed(suspects) or "visits that a verdict took out of the counts"


def _percent(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.1%}"


def _ratio(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2f}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(
        f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
