"""``grapevine simulate``: plays simulated visitors against a server, and compares its numbers with what happened."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError, Namespace
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.table import Table

from grapevine.cli.arguments import Commands, count
from grapevine.cli.context import CommandContext
from grapevine.cli.progress import visit_progress
from grapevine.errors import GrapevineError, Invalid, StoreError, UnknownSite
from grapevine.simulate.parameters import Parameters
from grapevine.sites.lookup import is_key_shaped, site_named
from grapevine.store.factory import snapshot
from grapevine.store.repositories.sites import SiteReader
from grapevine.store.rows import SiteRow

if TYPE_CHECKING:
    from grapevine.simulate.report import ComparisonReport, NumberComparison, SetComparison, WorldSummary
    from grapevine.simulate.truth import Truth

_RATES: Final = (
    ("k", "visits of others that each visit makes on the average"),
    ("sharing", "acts of sharing per visit"),
    ("untagged", "part of sharing that the widget does not see"),
    ("short_links", "part of shares that go out as /s/TOKEN"),
    ("stripped", "part of opened links that lost their token"),
    ("damaged", "part of opened links whose token was changed"),
    ("self_returns", "part of shares that the sharer opens, too"),
    ("same_network", "part of openings by somebody with the sharer's address and browser"),
    ("opened_twice", "part of openings that are repeated within a minute"),
    ("regulars", "part of first visits by somebody who was here before"),
    ("opted_out", "part of people who asked not to be followed"),
    ("conversions", "part of visits that reach a goal"),
    ("answers", "part of visits whose person says how they heard of the site"),
    ("lost", "part of reports of shares that never arrive"),
    ("retried", "part of requests that are sent twice"),
    ("late", "part of reports of shares that arrive long afterwards"),
    ("crawlers", "visits by robots that name themselves, per first visit"),
    ("suspects", "how much pretends to be people: 1 is plausible, 0 none"),
    ("days", "simulated days that the visits are spread over"),
)


def register(commands: Commands) -> None:
    """Adds the command ``simulate`` to the parser."""
    parser = commands.add(
        "simulate",
        simulate,
        "play visitors with known truth against a server, or check it",
        examples=(
            'grapevine simulate --server http://127.0.0.1:8000 --site "Try-out" --visits 5000 --truth truth.ndjson',
            "grapevine simulate --check truth.ndjson --key-file key.txt",
        ),
        more="Play against a site of its own: everything that it counts is compared. See docs/simulate.md.",
    )
    parser.add_argument("--server", metavar="URL", help="the server (with --check: default where it was played)")
    parser.add_argument(
        "--site", metavar="SITE", help="the site's key, or its name (with --check: where it was played)"
    )
    parser.add_argument("--origin", metavar="URL", help="the origin of the site's pages (default: its first one)")
    parser.add_argument(
        "--seed", type=count, default=1, metavar="S", help="seed of the random draws (default: %(default)s)"
    )
    usual = Parameters()
    parser.add_argument(
        "--visits", type=count, default=usual.visits, metavar="N", help="visits of people (default: %(default)s)"
    )
    parser.add_argument("--pages", type=count, default=usual.pages, metavar="N", help="pages (default: %(default)s)")
    for name, meaning in _RATES:
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=_rate,
            default=getattr(usual, name),
            metavar="R",
            help=f"{meaning} (default: %(default)s)",
        )
    parser.add_argument(
        "--one-address", action="store_true", help="send no X-Forwarded-For, for a server that trusts no proxy"
    )
    parser.add_argument("--truth", type=Path, metavar="FILE", help="write what really happened, as NDJSON")
    parser.add_argument(
        "--check", type=Path, metavar="TRUTH", help="compare the server with this file instead of playing"
    )
    parser.add_argument("--key", metavar="KEY", help="with --check: an API key of the site that may read")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="with --check: read the API key from a file")


async def simulate(context: CommandContext, arguments: Namespace) -> int:
    """Plays a world, or checks the server with ``--check``."""
    return await (_play if arguments.check is None else _check)(context, arguments)


async def _stored_site(context: CommandContext, named: str) -> SiteRow | None:
    """Returns the site in the database that the settings name, which is only read; None where it is not there: the
    server may have another database. Raises UnknownSite for a name that is not there, or is that of several."""
    rows: list[SiteRow] = []
    with suppress(StoreError):
        async with snapshot(context.settings()) as database:
            rows = await SiteReader(database).sites()
    try:
        return site_named(rows, named) if rows else None
    except UnknownSite:
        if is_key_shaped(named):
            return None
        raise


async def _play(context: CommandContext, arguments: Namespace) -> int:
    from grapevine.simulate.player import Player, Target, origin_of_site, player_client
    from grapevine.simulate.report import summarize_world
    from grapevine.simulate.world import World

    for name in ("server", "site"):
        if getattr(arguments, name) is None:
            raise Invalid.of(name, f"is needed: --{name}, see grapevine simulate --help")
    if arguments.truth is not None and not arguments.truth.absolute().parent.is_dir():
        raise Invalid.of("truth", f"cannot be written: there is no folder {arguments.truth.absolute().parent}")
    rates = {name: getattr(arguments, name) for name, _ in _RATES}
    parameters = Parameters(
        visits=arguments.visits, pages=arguments.pages, addresses=not arguments.one_address, **rates
    )
    world = World(arguments.seed, parameters)
    stored = await _stored_site(context, arguments.site)
    site = arguments.site if stored is None else stored.key
    world.truth.play.server, world.truth.play.site = arguments.server, site
    started = time.monotonic()
    async with player_client(arguments.server) as client:
        origin = arguments.origin
        if origin is None:
            origin = await origin_of_site(client, site) or (stored.origins[0] if stored else None)
            if origin is None:
                raise Invalid.of(
                    "origin", "is needed: --origin URL; the site is not in the database that the settings name"
                )
            world.truth.drops["bad-origin"] += 1
        with visit_progress(context, arguments.visits) as advance:
            await Player(client, Target(site, origin), world, context.now, on_visit=advance).play()
    seconds = time.monotonic() - started
    if arguments.truth is not None:
        world.truth.write(arguments.truth)
    happened = summarize_world(world.truth)
    if arguments.json:
        facts = {
            "seed": arguments.seed,
            "requests": world.truth.requests,
            "seconds": round(seconds, 3),
            "truth": arguments.truth and str(arguments.truth),
            "world": happened,
        }
        context.say_json(facts)
    else:
        context.say(f"{world.truth.requests:,} requests in {seconds:.1f} s ({world.truth.requests / seconds:,.0f}/s).")
        context.say(_summary_text(happened))
        if arguments.truth is not None:
            context.say(
                f"What really happened is in {arguments.truth}; compare: "
                f"grapevine simulate --check {arguments.truth} --key KEY"
            )
    return 0


async def _check(context: CommandContext, arguments: Namespace) -> int:
    from grapevine.client import AsyncClient, Retries
    from grapevine.simulate.report import check
    from grapevine.simulate.truth import Truth

    truth: Truth = Truth.read(arguments.check)
    server, site = arguments.server or truth.play.server, truth.play.site
    if arguments.site is not None:
        stored = await _stored_site(context, arguments.site)
        site = arguments.site if stored is None else stored.key
    patient = Retries(patience=300.0)  # of a large world, everything is asked at once
    async with AsyncClient(
        server, _key(arguments), site=site, timeout=60.0, retries=patient, allow_http=True
    ) as client:
        report = await check(truth, client)
    if arguments.json:
        context.say_json(report)
    else:
        _show(context, report)
    return 0 if report.clean else 1


def _key(arguments: Namespace) -> str:
    if arguments.key is not None:
        return str(arguments.key)
    if arguments.key_file is None:
        raise Invalid.of("key", "is needed: --key KEY or --key-file FILE")
    try:
        return str(arguments.key_file.read_text("utf-8").strip())
    except (OSError, ValueError):
        raise GrapevineError(f"{arguments.key_file} cannot be read") from None


def _summary_text(world: WorldSummary) -> str:
    return (
        f"{world.visits:,} visits of people: {world.shared:,} through sharing, {world.tagged:,} of them with a token, "
        f"{world.dark:,} in the dark. {world.cascades:,} cascades, {_percent(world.one_hop, world.cascades)} of them "
        f"within one hop; the largest {world.largest:,} visits, the deepest {world.deepest} hops."
    )


def _show(context: CommandContext, report: ComparisonReport) -> None:
    context.say(_summary_text(report.world) + "\n")
    table = _table("What was found", "True", "Found", "Right", "Precision", "Recall")
    for name, quality in report.qualities.items():
        table.add_row(_mark(quality), name, *_quality(quality))
    context.out.print(table)
    robots = report.robots
    mark = " " if robots.good else "✗"
    context.say(
        f"\n{mark} Robots: {robots.true:,}, of which {robots.refused:,} were refused and {robots.stored:,} stored; "
        f"counted among visits: {robots.counted:,}. People refused as robots: {robots.people_refused:,}.\n"
    )
    if report.verdicts.keys() - {"people"} or any(one.taken_out for one in report.verdicts.values()):
        table = _table("Stored visits of", "Visits", "Taken out of the counts")
        for kind, judged in report.verdicts.items():
            table.add_row("", kind, f"{judged.stored:,}", f"{judged.taken_out:,}")
        context.out.print(table)
        context.say("")
    table = _table("Number", "True", "Found", "Error")
    for name, number in report.numbers.items():
        table.add_row(_mark(number), name, *_number(number))
    for by, numbers in report.parts.items():
        wrong = {name: number for name, number in numbers.items() if not number.good}
        for name, number in wrong.items():
            table.add_row(_mark(number), f"visits by {by}: {name}", *_number(number))
        if not wrong:
            table.add_row("", f"visits by {by}: {len(numbers)} keys", "", "", "all exact")
    context.out.print(table)
    context.say("\nThe server says what happened." if report.clean else "\nThe server is off where ✗ stands.")


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    table.add_column(first, no_wrap=True)
    for other in others:
        table.add_column(other, justify="right", no_wrap=True)
    return table


def _mark(one: SetComparison | NumberComparison) -> str:
    return "" if one.good else "✗"


def _quality(quality: SetComparison) -> tuple[str, ...]:
    parts = ("–" if part is None else f"{part:.4f}" for part in (quality.precision, quality.recall))
    return f"{quality.true:,}", f"{quality.found:,}", f"{quality.right:,}", *parts


def _number(number: NumberComparison) -> tuple[str, ...]:
    values = (number.expected, number.found, number.error)
    return tuple(map(_shown, values))


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{int(value):,}" if value == int(value) else f"{value:,.4f}"


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "none"


def _rate(text: str) -> float:
    """Parses a finite number, not negative."""
    try:
        rate = float(text)
    except ValueError:
        rate = -1
    if not 0 <= rate < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no number that a rate can be")
    return rate
