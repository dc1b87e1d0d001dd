"""``grapevine token inspect``: decodes and verifies a token, or says in one sentence why it is invalid."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace
from rich.table import Table

from grapevine.analytics.token_resolution import ChainNode, Resolution, resolve_token
from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext, counted
from grapevine.cli.link_names import described
from grapevine.cli.tables import show_table
from grapevine.domain import ids
from grapevine.domain.canonical_urls import readable
from grapevine.domain.channels import NAMES
from grapevine.domain.token_urls import find_token, leading_token
from grapevine.domain.tokens import LENGTH, BadSignature, NotAToken, Token, TokenError
from grapevine.errors import UnknownVisit
from grapevine.sites.cache import Site
from grapevine.sites.management import find_site
from grapevine.store.readers.reads import Reads

_TOKEN: Final = re.compile(rf"[0-9A-Za-z]{{{LENGTH}}}")
_VERDICTS: Final = {
    "driven": "a program controlled the browser, as in an automated test",
    "scanner": "a program that checks mails opened the link",
    "replay": "a program opened the link again and again",
}
"""Why a visit is taken for no person's, by verdict."""
_ADDRESS: Final = re.compile(r"://|/|^[\w-]+(?:\.[\w-]+)+(?:[?#:]|$)")


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one text. ``reason`` is the contract's code of the error, ``site`` the signer's public key."""

    token: str
    valid: bool
    reason: str | None
    detail: str
    site: str | None = None
    visit: str | None = None
    channel: str | None = None
    n: int | None = None
    day: str | None = None
    cell: int | None = None
    resolution: Resolution | None = None


def register(commands: Commands) -> None:
    """Adds the command ``token`` to the parser."""
    group = commands.group("token", "look into share tokens")
    parser = group.add(
        "inspect",
        inspect,
        "decode, verify and resolve a share token",
        more="Says exactly what is wrong with a bad one, and then exits with status 1.",
        examples=(
            "grapevine token inspect 1r6JZQm2vKc9XtB4nWs8LdP",
            'grapevine token inspect "https://example.com/page#gv-1r6JZQm2vKc9XtB4nWs8LdP"',
            'grapevine token inspect https://share.example.com/s/1r6JZQm2vKc9XtB4nWs8LdP --site "My shop"',
        ),
    )
    parser.add_argument(
        "token", metavar="TOKEN-OR-URL", help="the 23 characters from a shared address, or the whole address"
    )
    parser.add_argument(
        "--site", metavar="SITE", help="key or name of the site it should belong to (default: any of this server)"
    )


async def inspect(context: CommandContext, arguments: Namespace) -> int:
    """Prints the resolution of a token. Returns the exit status."""
    async with context.store_and_keys() as (store, settings):
        asked = None if arguments.site is None else (await find_site(store.sites, arguments.site)).key
        sites = [Site(row, settings.secret_keys) for row in await store.sites.sites()]
        found = await examine(store.reads, sites, asked, arguments.token)
    if arguments.json:
        context.say_json(found)
    elif found.resolution is None:
        context.say(found.detail)
    else:
        _show(context, found, found.resolution)
    return 0 if found.valid else 1


async def examine(reads: Reads, sites: Sequence[Site], asked: str | None, text: str) -> Inspection:
    """Returns what ``text``, a token or an address with one, is to these sites.

    A token of a site other than ``asked`` (its key) is invalid.
    """
    params = list(dict.fromkeys([*(site.row.param for site in sites), "gv"]))
    text = _token_in(text, params)
    if missing := _no_token(text, params):
        return Inspection(token=text, valid=False, reason=NotAToken.reason, detail=missing)
    try:
        site, token = _signer(sites, text)
    except TokenError as error:
        return Inspection(token=text, valid=False, reason=error.reason, detail=_sentence(error))
    said = Inspection(
        token=text,
        valid=False,
        reason=None,
        detail="",
        site=site.key,
        visit=ids.visit_text(token.visit_id),
        channel=NAMES.get(token.channel),
        n=None if token.is_session else token.n,
        day=ids.day_date(ids.day_of(token.visit_id)).isoformat(),
        cell=ids.cell_of(token.visit_id),
    )
    if asked is not None and site.key != asked:
        detail = f"It was signed for the site {site.row.name} ({site.key}), not for {asked}."
        return replace(said, reason="unknown-site-token", detail=detail)
    if token.is_session:
        detail = "It is a session, the credential of a visit itself, which is never shared and names no share."
        return replace(said, reason="session", detail=detail)
    try:
        resolution = await resolve_token(reads, site, text)
    except UnknownVisit as error:
        detail = f"Its signature is good, but visit {said.visit} is not here: it was erased or is past retention."
        return replace(said, reason=error.code, detail=detail)
    detail = f"It is a share of {site.row.name} through {said.channel}."
    return replace(said, valid=True, detail=detail, resolution=resolution)


def _token_in(text: str, params: Sequence[str]) -> str:
    """Returns the token in a text that was pasted, under any of the names that tokens have; else the trimmed text."""
    for param in params:
        found = find_token(text, param)
        if _TOKEN.fullmatch(found):
            return found
    return leading_token(text.strip())


def _no_token(text: str, params: Sequence[str]) -> str:
    """Returns what is wrong with an address that holds no token; empty for what is no address."""
    if not _ADDRESS.search(text):
        return ""
    for param in params:
        cut = re.search(rf"[?&#;]{re.escape(param)}[=-]([0-9A-Za-z]*)", text)
        if cut:
            return (
                f"The address has no whole token: after {cut[0][1 : len(param) + 2]} it has "
                f"{counted(len(cut[1]), 'character')}, and a token has {LENGTH}. It may have been cut off on its way."
            )
    return (
        f"The address has no token: that is {LENGTH} letters and digits after #{params[0]}- or ?{params[0]}= in the "
        "address of a page, or after /s/ in a short link. Copy the link with a share button, and try that one."
    )


def _signer(sites: Sequence[Site], text: str) -> tuple[Site, Token]:
    error: TokenError = BadSignature("this server has no site yet that could have signed it")
    for site in sites:
        try:
            return site, site.tokens.read(text)
        except TokenError as found:
            error = found
    raise error


def _sentence(error: TokenError) -> str:
    if isinstance(error, NotAToken):
        return f"It is not a token: {error}."
    return f"It looks like a token, but {str(error).replace('this site', 'a site of this server')}."


def _show(context: CommandContext, found: Inspection, resolution: Resolution) -> None:
    share, reach = resolution.share, resolution.reach
    reported = "reported" if share.reported_by == "session" else "reported by its token alone"
    seen = [word for word, is_so in ((reported, share.reported), ("proven", share.proven)) if is_so]
    unfurls = ", ".join(f"{app} {count}" for app, count in share.unfurls.items())
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in (
        ("Valid", found.detail),
        ("Share", f"number {share.n} through {share.channel} in visit {share.visit}, at depth {share.depth}"),
        *_link(resolution),
        ("Page", readable(share.url) if share.url else "unknown"),
        ("When", f"{share.at}; {' and '.join(seen) or 'neither reported nor proven yet'}"),
        ("Opened", f"{counted(share.returns, 'return')}, {counted(share.self_returns, 'self-return')}"),
        ("Previews", unfurls or "none"),
        ("Below it", ", ".join(counted(getattr(reach, f"{noun}s"), noun) for noun in ("visit", "share", "conversion"))),
        ("Cell, day", f"{found.cell}, {found.day}"),
    ):
        table.add_row(name, value)
    context.out.print(table)
    older = "; older visits are past retention" if resolution.truncated else ""
    context.say(f"\nHow it came about{older}:")
    rows: list[tuple[str, ...]] = []
    for index, node in enumerate(resolution.chain):
        if resolution.omitted and index == 1:
            rows.append(("…", f"{counted(resolution.omitted, 'visit')} left out", "", "", ""))
        rows.append(
            (
                str(node.depth),
                _marked(node),
                _arrival(node),
                readable(node.url) if node.url else "–",
                (node.at or "erased")[:16].replace("T", " "),
            )
        )
    show_table(context, "Depth", "Visit", "Came through", "Page", "When", rows=rows)
    for verdict, reason in _VERDICTS.items():
        if any(node.verdict == verdict for node in resolution.chain):
            context.say(f"\n{verdict}: {reason}. Such a visit counts in no number.")


def _link(resolution: Resolution) -> list[tuple[str, str]]:
    """Returns the line about the minted link from which the chain grew; none where it began with a visit."""
    if resolution.link is None:
        return []
    where = "" if resolution.share.depth == 0 else ", at the root of the chain"
    return [("Tracked link", f"{described(resolution.link)}{where}")]


def _arrival(node: ChainNode) -> str:
    if node.via is None:
        return "(tracked link)" if node.source == "link" else node.source or "–"
    return f"{node.via.channel}{' (self-return)' if node.is_self else ''}"


def _marked(node: ChainNode) -> str:
    return f"{node.visit} ({node.verdict})" if node.verdict else node.visit
