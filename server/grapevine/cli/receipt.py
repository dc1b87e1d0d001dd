"""``grapevine receipt verify``: checks a signed receipt with a file of keys, with the server that issued it, or with
the operator's own database."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Final, Literal

import msgspec

from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext, shown_database
from grapevine.cli.tables import show_table
from grapevine.domain.urls import UrlError
from grapevine.egress.policy import EgressPolicy
from grapevine.errors import Invalid, SettingError, StoreError
from grapevine.receipts.document import Receipt, Revocation
from grapevine.receipts.ed25519 import SignaturesMissing, require_signatures
from grapevine.receipts.jws import MOST_BYTES, NotSigned
from grapevine.receipts.verification import (
    Altered,
    Keys,
    UnknownKey,
    claimed,
    issuer_origin,
    read_keys,
    verify_receipt,
)

EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
"""What ``--allow-private`` admits: the person at the terminal reaches these addresses anyway."""

Verdict = Literal["valid", "altered", "other-issuer", "revoked", "unknown-key", "unknown-state"]
_TO_DO: Final = (
    "Give --keys with what GET /v1/receipt-keys of the issuer returned, or --online to ask the server that the receipt "
    "names"
)
STATUS: Final[dict[Verdict, int]] = {
    "valid": 0, "altered": 1, "other-issuer": 1, "revoked": 3, "unknown-key": 4, "unknown-state": 5,
}  # fmt: skip
"""The exit status of each verdict."""


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. ``receipt`` is what a receipt says whose signature is good; ``asked`` whether its server, or the
    operator's own database, was asked if it is revoked."""

    verdict: Verdict
    detail: str
    asked: bool
    receipt: Receipt | None = None
    revocation: Revocation | None = None


class _Answer(msgspec.Struct):
    """The answer of ``GET /v1/receipts/…`` as somebody saved it."""

    document: str


def register(commands: Commands) -> None:
    """Adds the command ``receipt`` to the parser."""
    group = commands.group("receipt", "check signed receipts of conversions")
    parser = group.add(
        "verify",
        verify,
        "check a signed receipt",
        more="FILE holds a receipt, or the JSON in which the API gave it out; - is standard input. Without options it "
        "is checked with your own database, as one that your server issued. With --keys nothing is asked of anybody. "
        "With --online the server that the receipt names is asked for its keys and whether the receipt is revoked; "
        "look at the name of that server, or give --issuer: anybody can sign receipts with a server of their own. "
        "Exit status 0 valid, 1 altered or no receipt, 2 wrong usage or no database, 3 revoked, 4 signed with a key "
        "that is not among those known, 5 the server could not be asked or the receipt is not known any more. Needs: "
        "pip install 'grapevine-share[signatures]'.",
        examples=(
            "grapevine receipt verify receipt.jws",
            "grapevine receipt verify receipt.jws --online --issuer https://share.example.com",
            "grapevine receipt verify receipt.jws --keys keys.json",
            "grapevine receipt verify receipt.jws --keys keys.json --revocation revocation.jws",
        ),
    )
    parser.add_argument("file", metavar="FILE", help="the file with the receipt, or -")
    parser.add_argument(
        "--keys", type=Path, metavar="FILE", help="public keys, as GET /v1/receipt-keys of the issuer gave them out"
    )
    parser.add_argument("--online", action="store_true", help="ask the server that the receipt names")
    parser.add_argument("--issuer", metavar="URL", help="accept receipts of this server alone")
    parser.add_argument(
        "--revocation", type=Path, metavar="FILE", help="a revocation that you got; is it one of this receipt?"
    )
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="with --online: also ask a server inside this network, such as http://127.0.0.1:8000",
    )


async def verify(context: CommandContext, arguments: Namespace) -> int:
    """Prints the verdict on a receipt. Returns the exit status. Raises Invalid, SettingError."""
    try:
        require_signatures()
    except SignaturesMissing as error:
        raise SettingError(f"receipt: {error}") from None
    found = await _examine(context, arguments)
    if arguments.json:
        context.say_json(found)
    else:
        _show(context, found)
    return STATUS[found.verdict]


async def _examine(context: CommandContext, arguments: Namespace) -> Verification:
    issuer = None if arguments.issuer is None else _issuer(arguments.issuer)
    try:
        text = _receipt_text(_read(arguments.file, "FILE"))
        says = claimed(text)
    except NotSigned as error:
        return Verification(verdict="altered", detail=f"This is no receipt: {error}.", asked=False)
    if issuer is not None and not _is_by(says, issuer):
        detail = f"It says that {says.iss} issued it, not {issuer}."
        return Verification(verdict="other-issuer", detail=detail, asked=False)
    try:
        if arguments.online:
            return await _online(arguments, text, says)
        if arguments.keys is None:
            return await _with_own_database(context, arguments, text, says)
        keys = _keys(arguments.keys)
        receipt = verify_receipt(text, keys)
        revocation = _given_revocation(arguments.revocation, receipt, keys)
    except (NotSigned, Altered) as error:
        return Verification(verdict="altered", detail=f"Not valid: {error}.", asked=False)
    except UnknownKey as error:
        return Verification(verdict="unknown-key", detail=f"Not known: {error}.", asked=False)
    return _verdict(receipt, revocation, asked=False)


async def _with_own_database(context: CommandContext, arguments: Namespace, text: str, says: Receipt) -> Verification:
    """Checks a receipt with the keys and the receipts of the database that the settings name."""
    from grapevine.receipts.own_receipts import OtherSite, Unknown, own_keys, own_revocation

    settings = context.settings()
    try:
        async with context.store(settings) as store:
            keys = await own_keys(store, says)
            receipt = verify_receipt(text, keys)
            revocation = _given_revocation(arguments.revocation, receipt, keys)
            try:
                revocation = revocation or await own_revocation(store, receipt)
            except Unknown as error:
                detail = f"The signature is good, but {error}."
                return Verification(verdict="unknown-state", detail=detail, asked=True, receipt=receipt)
    except StoreError as error:
        detail = f"or --online is needed, since your own database cannot be used: {error}"
        raise Invalid.of("--keys", detail) from None
    except OtherSite as error:
        detail = f"Not known: {error} of the database {shown_database(settings)}. {_TO_DO}."
        return Verification(verdict="unknown-key", detail=detail, asked=False)
    except UnknownKey as error:
        detail = f"Not known: {error}, those of the database {shown_database(settings)}. {_TO_DO}."
        return Verification(verdict="unknown-key", detail=detail, asked=False)
    return _verdict(receipt, revocation, asked=True)


async def _online(arguments: Namespace, text: str, says: Receipt) -> Verification:
    from grapevine import http_client
    from grapevine.egress.bounded_fetch import Fetcher
    from grapevine.receipts.online import BOUNDS, USER_AGENT, NotAsked, NotKnown, fetch_keys, fetch_revocation

    policy = EgressPolicy(EVERYWHERE if arguments.allow_private else ())
    async with await http_client.make_pinned_client(seconds=BOUNDS.seconds) as client:
        fetcher = Fetcher(client, policy, BOUNDS, USER_AGENT)
        try:
            keys: Keys = await fetch_keys(fetcher, says) if arguments.keys is None else _keys(arguments.keys)
            receipt = verify_receipt(text, keys)
        except NotAsked as error:
            return Verification(verdict="unknown-state", detail=f"{_sentence(error)}.", asked=False)
        try:
            revocation = _given_revocation(arguments.revocation, receipt, keys)
            if revocation is None:
                revocation = await fetch_revocation(fetcher, receipt, keys)
        except (NotAsked, NotKnown) as error:
            detail = f"The signature is good, but {error}."
            return Verification(verdict="unknown-state", detail=detail, asked=True, receipt=receipt)
    return _verdict(receipt, revocation, asked=True)


def _given_revocation(path: Path | None, receipt: Receipt, keys: Keys) -> Revocation | None:
    from grapevine.receipts.online import NotAsked, revocation_of

    if path is None:
        return None
    try:
        return revocation_of(receipt, _read(str(path), "--revocation").strip(), keys)
    except (NotAsked, NotSigned) as error:
        raise Invalid.of("--revocation", f"cannot be used: {error}") from None


def _verdict(receipt: Receipt, revocation: Revocation | None, *, asked: bool) -> Verification:
    if revocation is not None:
        detail = f"Revoked since {revocation.revoked} ({revocation.reason}): issued by {receipt.iss}."
        return Verification(verdict="revoked", detail=detail, asked=asked, receipt=receipt, revocation=revocation)
    known = "" if asked else " Whether it was revoked since was not asked: --online does."
    detail = f"Valid: issued by {receipt.iss} for the site {receipt.site} on {receipt.issued}.{known}"
    return Verification(verdict="valid", detail=detail, asked=asked, receipt=receipt)


def _issuer(text: str) -> str:
    try:
        return issuer_origin(text.strip())
    except UrlError as error:
        raise Invalid.of("--issuer", f"{text} {error}") from None


def _is_by(says: Receipt, issuer: str) -> bool:
    try:
        return issuer_origin(says.iss) == issuer
    except UrlError:
        return False


def _read(name: str, argument: str) -> str:
    """Returns the text of the file that an argument names. Raises NotSigned for one that is no text, or larger than any
    receipt; Invalid of the argument for one that cannot be read."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Invalid.of(argument, f"{name} cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise NotSigned(f"it has more than {MOST_BYTES} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotSigned("it is no text") from None


def _receipt_text(text: str) -> str:
    """Returns the receipt in a file: the whole of it, or a field of the JSON that the API answered."""
    text = text.strip()
    if not text.startswith("{"):
        return text
    try:
        return msgspec.json.decode(text, type=_Answer).document
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotSigned(f"it is JSON without a receipt in `document`: {error}") from None


def _keys(path: Path) -> Keys:
    try:
        return read_keys(_read(str(path), "--keys").encode())
    except NotSigned as error:
        raise Invalid.of("--keys", f"{path} cannot be used: {error}") from None


def _show(context: CommandContext, found: Verification) -> None:
    context.say(found.detail)
    says = found.receipt
    if says is None:
        return
    paid = says.conversion
    amount = "no amount" if paid.amount is None else f"{paid.amount} {paid.currency}"
    reporter = "an API key" if paid.reported_by == "key" else "a page, whose word is anybody's"
    context.say(f"\n{paid.goal} on {paid.day}: {amount}, reported by {reporter}. Credited by the rule: {says.rule}.")
    rows = [
        (str(hop.generation), hop.channel, hop.day, hop.sharer, ", ".join(hop.marks) or "–", hop.credit or "–")
        for hop in says.hops
    ]
    if rows:
        context.say()
        show_table(context, "Generation", "Channel", "Day", "Sharer", "Marks", "Credit", rows=rows)
    else:
        context.say("No share led to it.")


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
