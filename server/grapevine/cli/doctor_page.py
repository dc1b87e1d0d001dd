"""``grapevine doctor URL``: checks one page as a visitor sees it."""

from __future__ import annotations

from grapevine.cli.context import CommandContext
from grapevine.config.public_url import public_url
from grapevine.doctor.page.examine import PageReport, examine_page, typed_url
from grapevine.doctor.page.fetch import visiting
from grapevine.doctor.page.findings import PageFinding
from grapevine.doctor.page.installation import Installation
from grapevine.egress.policy import EgressPolicy
from grapevine.errors import StoreError

EVERYWHERE = ("0.0.0.0/0", "::/0")
"""What ``--allow-private`` admits: the person at the terminal reaches these addresses anyway."""
_MARKS = {"problem": "PROBLEM", "hint": "hint   ", "ok": "ok     "}


async def check_page(context: CommandContext, text: str, *, allow_private: bool, as_json: bool) -> int:
    """Checks the page and prints what was found. Returns the exit status. Raises Invalid for what is no URL."""
    url = typed_url(text)
    installation = await _installation(context)
    policy = EgressPolicy(
        EVERYWHERE if allow_private else (), plain_http=True, remedy="; --allow-private admits such addresses"
    )
    if not as_json:
        context.say(f"Checking {url}\n")
    async with visiting(policy) as visitor:
        report = await examine_page(url, visitor, installation)
    if as_json:
        context.say_json(report)
    else:
        _print(context, report)
    return 0 if report.ok else 1


async def _installation(context: CommandContext) -> Installation:
    """Returns what this machine knows of its sites: nothing where there is no database, which is not made."""
    settings = context.settings()
    try:
        async with context.store(settings) as store:
            sites = await store.sites.sites()
    except StoreError:
        return Installation(now=context.now())
    script = public_url(settings.base_url, settings.prefix, "/widget.js") if settings.base_url else None
    return Installation(sites=sites, script=script, now=context.now())


def _print(context: CommandContext, report: PageReport) -> None:
    for finding in report.findings:
        context.say(f"{_MARKS[finding.level]}  {finding.says}")
        _print_remedy(context, finding)
    context.say(f"\n{summary(report)}")


def _print_remedy(context: CommandContext, finding: PageFinding) -> None:
    if finding.fix:
        context.say(f"         To do: {finding.fix}")
    for line in finding.paste.splitlines():
        context.say(f"             {line}")


def summary(report: PageReport) -> str:
    """Returns the last line: whether visits of the page are counted."""
    problems = sum(finding.level == "problem" for finding in report.findings)
    hints = sum(finding.level == "hint" for finding in report.findings)
    if any(finding.level == "problem" and finding.code.startswith("page-") for finding in report.findings):
        return "The page could not be checked."
    if problems:
        return f"Visits of this page are not counted: {problems} problem{'s' * (problems != 1)} to solve."
    if any(finding.code in ("snippet-added-by-script", "snippet-in-tag-manager") for finding in report.findings):
        return "This check cannot see whether visits of this page are counted; the dashboard can."
    more = f"; {hints} hint{'s' * (hints != 1)} above." if hints else "."
    return f"Visits of this page are counted{more}"
