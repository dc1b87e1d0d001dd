"""``grapevine doctor``: checks an installation, or a page."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext
from grapevine.cli.doctor_page import check_page
from grapevine.config.settings import Settings
from grapevine.doctor import Finding, examine


def register(commands: Commands) -> None:
    """Adds the command ``doctor`` to the parser."""
    parser = commands.add(
        "doctor",
        doctor,
        "check an installation or a page and say what to fix",
        examples=("grapevine doctor", "grapevine doctor https://example.com/", 'grapevine doctor --site "My shop"'),
        more="Without URL: settings, files, and whether all counts and summaries are what the stored visits, shares "
        "and conversions say. With URL: gets that page as a visitor would and says whether its visits are counted, and "
        "what is in the way. It changes nothing and may run beside the server. Exit status 1 when something is not "
        "right.",
    )
    parser.add_argument("url", metavar="URL", nargs="?", help="a page to check, such as https://example.com/page")
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="with URL: also go to addresses inside this network, such as http://127.0.0.1:8001/",
    )
    parser.add_argument("--site", metavar="SITE", help="recount this site alone (default: all)")


async def doctor(context: CommandContext, arguments: Namespace) -> int:
    """Prints each finding as it is made."""
    if arguments.url is not None:
        return await check_page(context, arguments.url, allow_private=arguments.allow_private, as_json=arguments.json)
    found = await examined(context, context.settings(), arguments.site, silent=arguments.json)
    if arguments.json:
        context.say_json({"ok": are_well(found), "checks": found})
    return 0 if are_well(found) else 1


async def examined(
    context: CommandContext, settings: Settings, site: str | None = None, *, silent: bool
) -> list[Finding]:
    """Returns all findings; prints each as it is made, and how many ask for something, unless it shall be silent."""
    found: list[Finding] = []
    async for finding in examine(settings, site):
        found.append(finding)
        if not silent:
            _print(context, finding)
    if not silent:
        wrong = sum(not finding.ok for finding in found)
        context.say("All is well." if not wrong else f"{wrong} of {len(found)} checks found something to fix.")
    return found


def are_well(findings: list[Finding]) -> bool:
    """Returns whether no check found something to fix."""
    return all(finding.ok for finding in findings)


def _print(context: CommandContext, finding: Finding) -> None:
    context.say(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.check}: {finding.says}")
    for difference in finding.differences:
        context.say(f"       - {_sentence(difference)}")
    if finding.fix:
        context.say(f"       Fix: {finding.fix}")


def _sentence(difference: dict[str, Any]) -> str:
    """``site …, hour …: visits is 3, the rows say 2``."""
    key = dict(difference)
    measure, stored, counted = key.pop("measure"), key.pop("stored"), key.pop("counted")
    where = ", ".join(f"{name} {value}" for name, value in key.items() if value not in (None, ""))
    return f"{where}: {measure} is {_shown(stored)}, the rows say {_shown(counted)}"


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
