"""``grapevine links tag-html``: tags the links of a mail that lead to the site."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from grapevine.cli.arguments import SITE_HELP, Commands
from grapevine.cli.context import CommandContext, counted
from grapevine.cli.progress import item_progress
from grapevine.cli.signing_site import SigningSite, signing_site
from grapevine.config.private_files import make_file, make_folder
from grapevine.domain.channels import CODES
from grapevine.errors import GrapevineError, Invalid
from grapevine.links.bounds import LinkBound
from grapevine.links.mail.encodings import decoded, encoded
from grapevine.links.mail.mail_links import page_of_mail, url_rule
from grapevine.links.mail.recipient_links import AT_ONCE, RecipientLinks
from grapevine.links.mail.recipients import FileNames, Recipient, RecipientList
from grapevine.links.mail.schemas import MOST_BYTES, SkippedLinks
from grapevine.links.mail.tagging import ReadMail, TooManyLinks, read_mail
from grapevine.links.schemas import NewLink
from grapevine.sites.cache import Site
from grapevine.writer.nonces import load_nonces

TOKEN_COLUMN: Final = "grapevine_token"  # noqa: S105
FILE_COLUMN: Final = "grapevine_file"

_MERGE_FIELD: Final = re.compile(r"(?=.{0,98}[^0-9A-Za-z])(?:<%=?[^<>\"'`&\\]{1,90}%>|[!#-%(-;=?-\[\]-_a-~ ]{2,100})")
"""What mail services write: printable ASCII without quotes, ``&``, ``<``, ``>`` and backslashes, but for ``<%=``."""
_EXAMPLE: Final = (
    'grapevine links tag-html "My shop" mail.html --campaign spring --recipients people.csv --column email'
)
_WHY_LEFT: Final = {
    "elsewhere": "to other sites or to no page",
    "tagged": "with a token already",
    "ignored": "marked with data-grapevine-ignore",
    "template": "whose host the mail program writes",
    "unusable": "too long, or without the quotes that a merge field needs",
}


class TagReport(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the command did."""

    links: int
    """How many links of the mail were tagged."""
    skipped: SkippedLinks
    """How many were left as they are, and why."""
    page: str | None
    """The page of the minted link; None where none was made."""
    token: str | None = None
    """The token of the mail; None where each recipient has one."""
    recipients: int | None = None
    """How many rows of the list have a recipient."""
    made: int = 0
    """How many links were made now; the others were there."""
    without_recipient: int = 0
    """How many rows of the list have none."""
    written: str | None = None
    """The file or the folder that was written."""


class _Mail(NamedTuple):
    """The file of a mail: its bytes, and what was read."""

    path: Path
    data: bytes
    read: ReadMail

    def tagged(self, token: str) -> bytes:
        return encoded(self.read.tagged(token), self.data)


def register(commands: Commands) -> None:
    """Adds the command to the group ``links``."""
    parser = commands.add(
        "tag-html",
        tag_html,
        "tag the links of an HTML mail that lead to the site, and change no other byte",
        more="The links of one mail get the token of one tracked link. With --recipients each recipient gets an own "
        "link: a file for each, or with --merge-field one file for the mailing program and a list with the tokens.",
        examples=(
            'grapevine links tag-html "My shop" mail.html --campaign spring --output tagged.html',
            f"{_EXAMPLE} --output mails/",
            f"{_EXAMPLE} --merge-field '*|GVTOKEN|*' --output mails/",
        ),
    )
    parser.add_argument("site", metavar="SITE", help=SITE_HELP)
    parser.add_argument("file", type=Path, metavar="FILE", help="the HTML of the mail")
    parser.add_argument("--label", metavar="TEXT", help="what the mail is, in your own words")
    parser.add_argument("--campaign", metavar="NAME", help="the mailing; with it the same command makes no second link")
    parser.add_argument("--external-id", metavar="ID", help="your own name of the one whom the mail is for")
    parser.add_argument(
        "--channel", default="email", choices=CODES, metavar="NAME", help="what visits count for (default: email)"
    )
    parser.add_argument(
        "--output", type=Path, metavar="PATH", help="the file to write, with --recipients the folder (default: piped)"
    )
    parser.add_argument(
        "--recipients", type=Path, metavar="FILE.csv", help="a list of recipients, each of whom gets a link"
    )
    parser.add_argument("--column", metavar="NAME", help="its column that tells recipients apart: an id, an address")
    parser.add_argument(
        "--merge-field",
        metavar="TEXT",
        help="what the mailing program replaces by each recipient's token, such as *|GV|*",
    )


async def tag_html(context: CommandContext, arguments: Namespace) -> int:
    """Tags a mail. Returns the exit status. Raises Invalid, RateLimited; GrapevineError for a mail without links."""
    _check(arguments)
    async with signing_site(context, arguments.site) as signing:
        people = RecipientList(arguments.recipients, arguments.column) if arguments.recipients else None
        rows = people.check() if people else 0
        mail = _read(arguments.file, signing.site, context.now(), arguments.merge_field or "")
        links = await _links(context, arguments, signing, mail)
        if people is None:
            report = await _one(context, arguments, links, mail)
        else:
            with item_progress(context, "Recipients", rows) as advance:
                report = await _each(context, arguments, links, mail, people, advance)
    if arguments.json:
        context.say_json(report)
    else:
        _say(context, report)
        if report.made and arguments.campaign:
            context.err.print(
                f'What it brings: grapevine links list "{arguments.site}" --campaign "{arguments.campaign}"'
            )
    return 0


def _check(arguments: Namespace) -> None:
    """Refuses options that do not go together. Raises Invalid."""
    if arguments.recipients is None:
        if arguments.column or arguments.merge_field:
            raise Invalid("--column and --merge-field go with --recipients FILE.csv.")
        if arguments.output is None and (arguments.json or sys.stdout.isatty()):
            raise Invalid("Name the file to write with --output FILE, or pipe the mail to a program or a file.")
        return
    for option in ("column", "campaign", "output"):
        if getattr(arguments, option) is None:
            raise Invalid(f"--recipients needs --{option} too; `grapevine links tag-html --help` shows an example.")
    if arguments.external_id is not None:
        raise Invalid("--external-id is for one mail; with --recipients the column says it.")
    if arguments.merge_field is not None and not _MERGE_FIELD.fullmatch(arguments.merge_field):
        raise Invalid(
            "--merge-field must be what your mailing program replaces, such as *|GV|* or {{ gv }}: 2 to 100 characters "
            "without quotes, & and backslashes."
        )


def _read(path: Path, site: Site, now: int, field: str) -> _Mail:
    """Returns the mail in a file. Raises Invalid, and GrapevineError for one without links to the site."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise Invalid(f"{path} has more than {MOST_BYTES:,} bytes; mail programs cut mails that are a tenth as long.")
    html = decoded(data)
    try:
        mail = read_mail(html, url_rule(site, now), field)
    except TooManyLinks as error:
        raise Invalid(f"{path} {error}.") from None
    if not mail.links and not mail.skipped.tagged:
        hint = " It is quoted-printable: save the mail decoded." if '=3D"' in html else ""
        raise GrapevineError(f"{path} has no link to this site ({', '.join(site.row.origins)}).{hint}")
    return _Mail(path, data, mail)


async def _links(context: CommandContext, arguments: Namespace, signing: SigningSite, mail: _Mail) -> RecipientLinks:
    store, _, site = signing
    link = NewLink(
        url=page_of_mail(site, mail.read),
        channel=arguments.channel,
        label=arguments.label,
        campaign=arguments.campaign,
    )
    links = RecipientLinks(store, await load_nonces(store.salts), site, LinkBound(store.links, context.clock), link)
    await links.read_known()
    return links


async def _one(context: CommandContext, arguments: Namespace, links: RecipientLinks, mail: _Mail) -> TagReport:
    """Writes the mail with the token of one link."""
    found = mail.read
    report = TagReport(links=found.links, skipped=found.skipped, page=found.page)
    if found.links:
        name = None if arguments.external_id is None else arguments.external_id.strip()
        (report.token,) = await links.tokens([name], context.now())
    report.made = links.made
    tagged = mail.tagged(report.token or "")
    if arguments.output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(tagged)
    else:
        _write(arguments.output, tagged)
        report.written = str(arguments.output)
    return report


async def _each(
    context: CommandContext,
    arguments: Namespace,
    links: RecipientLinks,
    mail: _Mail,
    people: RecipientList,
    advance: Callable[[int], None],
) -> TagReport:
    """Writes the mail of each recipient, or the one with the merge field, and the list with the tokens."""
    folder, field = arguments.output, arguments.merge_field
    found = mail.read
    if not found.links:
        raise GrapevineError(f"{mail.path} has no link to tag: all {found.skipped.tagged} have a token already.")
    listed, single = folder / arguments.recipients.name, folder / mail.path.name
    report = TagReport(links=found.links, skipped=found.skipped, page=found.page, recipients=0, written=str(folder))
    names = FileNames()
    try:
        make_folder(folder)
        if {listed.resolve(), single.resolve()} & {arguments.recipients.resolve(), mail.path.resolve()}:
            raise Invalid(f"{folder} holds the mail or the list; name another folder with --output.")
        if field:
            _write(single, mail.tagged(field))
        columns = (TOKEN_COLUMN,) if field else (TOKEN_COLUMN, FILE_COLUMN)
        with closing(people.writer(listed, columns)) as out:
            for rows in _bulks(people):
                recipients = [row.name for row in rows if row.name]
                tokens = dict(zip(recipients, await links.tokens(recipients, context.now()), strict=True))
                for row in rows:
                    token = tokens.get(row.name, "")
                    name = f"{names.name(row.name, token)}.html" if token and not field else ""
                    if name:
                        _write(folder / name, mail.tagged(token))
                    out.write(row.cells, (token,) if field else (token, name))
                report.recipients = (report.recipients or 0) + len(recipients)
                report.without_recipient += len(rows) - len(recipients)
                report.made = links.made
                advance(len(rows))
    except OSError as error:
        raise GrapevineError(f"{error.filename or folder} cannot be written: {error.strerror}.") from None
    return report


def _bulks(people: Iterable[Recipient]) -> Iterator[list[Recipient]]:
    rows = iter(people)
    while bulk := list(islice(rows, AT_ONCE)):
        yield bulk


def _write(path: Path, content: bytes) -> None:
    try:
        make_file(path)  # with its token, whoever reads it could pass for a reader of this recipient's mail
        path.write_bytes(content)
    except OSError as error:
        raise GrapevineError(f"{path} cannot be written: {error.strerror}.") from None


def _say(context: CommandContext, report: TagReport) -> None:
    """Says what was done, on standard error, since the mail may be on standard output."""
    if report.recipients is not None:
        was_there = report.recipients - report.made
        context.err.print(
            f"{counted(report.links, 'link')} of the mail tagged for "
            f"{counted(report.recipients, 'row')} with a recipient: "
            f"{counted(report.made, 'link')} made, {was_there:,} there already or given twice."
        )
        if report.without_recipient:
            context.err.print(f"{counted(report.without_recipient, 'row')} without a recipient left out.")
    elif report.token is None:
        context.err.print("Each link to the site carries a token already; nothing was changed.")
    else:
        again = "" if report.made else ", which this campaign has already"
        context.err.print(f"{counted(report.links, 'link')} tagged with {report.token}{again}.")
    left = [f"{number:,} {_WHY_LEFT[why]}" for why, number in msgspec.structs.asdict(report.skipped).items() if number]
    if left:
        context.err.print(f"Left as they are: {', '.join(left)}.")
    if report.written:
        context.err.print(f"Written: {report.written}")
