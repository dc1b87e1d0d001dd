"""``grapevine payouts``: prints what a referral programme owes its referrers, or writes it as CSV."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from grapevine.cli.arguments import SITE_HELP, Commands, count, day
from grapevine.cli.context import CommandContext, counted
from grapevine.cli.tables import show_table
from grapevine.config import private_files
from grapevine.domain import ids
from grapevine.domain.money import Amounts
from grapevine.domain.periods import DEFAULT_DAYS, Period
from grapevine.exports.payouts import payouts_csv
from grapevine.referrals.answers import Payouts, ReferrerPayout
from grapevine.referrals.marks import MARKS
from grapevine.referrals.payouts import Question, page_of, read_payouts
from grapevine.referrals.terms import terms_of
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site

_HUNDRED: Final = 100


def register(commands: Commands) -> None:
    """Adds the command ``payouts`` to the parser."""
    parser = commands.add(
        "payouts",
        print_payouts,
        "print what a referral programme owes its referrers",
        examples=(
            'grapevine payouts "My shop" --rate 10%',
            'grapevine payouts "My shop" --from 2026-11-01 --to 2026-11-30 --fixed 5.00 --currency EUR --csv owed.csv',
        ),
        more="A referrer is a person whose link has an external id. docs/referrals.md has the rule and the marks.",
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument(
        "--from", dest="first", type=day, metavar="D",
        help=f"first day, in UTC (default: {DEFAULT_DAYS} days up to the last)",
    )  # fmt: skip
    parser.add_argument("--to", dest="last", type=day, metavar="D", help="last day, in UTC (default: today)")
    parser.add_argument("--goal", metavar="NAME", help="only conversions of this goal")
    parser.add_argument("--campaign", metavar="NAME", help="only referrers whose links are of this campaign")
    parser.add_argument("--rate", type=part, metavar="PART", help="the part of a purchase that is paid (default: 10%%)")
    parser.add_argument("--fixed", metavar="AMOUNT", help="an amount for each conversion instead, with --currency")
    parser.add_argument("--currency", metavar="CODE", help="the currency of --fixed, such as EUR")
    parser.add_argument(
        "--pass-on", type=part, metavar="PART", help="the part of a credit that goes to the hop before (default: 50%%)"
    )
    parser.add_argument(
        "--hold", type=count, default=2, metavar="N", help="how many marks hold a payment back (default: 2; 0: none)"
    )
    parser.add_argument(
        "--networks", type=count, default=6, metavar="N",
        help="how many networks somebody who cheats is thought to have at hand (default: 6)",
    )  # fmt: skip
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each referrer and currency here")


def part(text: str) -> str:
    """Parses a part: 10% or 0.1. Returns it as a decimal."""
    try:
        value = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        raise ArgumentTypeError(f"{text!r} is no part such as 10% or 0.1") from None
    return f"{value / _HUNDRED if text.endswith('%') else value:f}"


async def print_payouts(context: CommandContext, arguments: Namespace) -> int:
    """Prints or writes the pay-outs of a period. Returns the exit status. Raises Invalid."""
    last = arguments.last or ids.day_date(ids.day_at(context.now()))
    period = Period(arguments.first or last - timedelta(days=DEFAULT_DAYS - 1), last)
    terms = terms_of(
        rate=arguments.rate,
        fixed=arguments.fixed,
        currency=arguments.currency,
        pass_on=arguments.pass_on,
        hold=arguments.hold,
        networks=max(arguments.networks, 1),
    )
    async with context.store_and_keys() as (store, settings):
        site = Site(await find_site(store.sites, arguments.site), settings.secret_keys)
        asked = Question(period=period, terms=terms, goal=arguments.goal, campaign=arguments.campaign)
        found = await page_of(store.reads, site, asked, await read_payouts(store.reads, site, asked))
    if arguments.csv is not None:
        draft = private_files.make_draft(arguments.csv)
        draft.write_bytes(await payouts_csv(found))
        private_files.replace(draft, arguments.csv)
    if arguments.json:
        context.say_json(found)
    elif arguments.csv is not None:
        context.say(f"{counted(len(found.referrers), 'referrer')} in {arguments.csv}")
    elif not found.referrers:
        context.say("No referrer has a conversion in this period that your server reported.")
    else:
        _show(context, found)
    return 0


def _show(context: CommandContext, found: Payouts) -> None:
    headers = ("Referrer", "Conversions", "Value", "To pay", "Held back", "Marks")
    show_table(context, *headers, rows=[_shown(each) for each in found.referrers])
    context.say()
    context.say(f"To pay: {_amounts(found.credited) or '0.00'}. Held back: {_amounts(found.held) or '0.00'}.")
    marks = sorted({mark for each in found.referrers for mark in each.marks})
    for mark in marks:
        context.say(f"{mark}: {MARKS[mark]}")


def _shown(each: ReferrerPayout) -> tuple[str, ...]:
    return (
        each.external_id,
        f"{each.conversions:,}",
        _amounts(each.value),
        _amounts(each.credited),
        _amounts(each.held),
        ", ".join(f"{mark} {number}" for mark, number in each.marks.items()),
    )


def _amounts(amounts: Amounts) -> str:
    return " + ".join(f"{amount} {currency}" for currency, amount in amounts.items())
