"""Is a security policy of the page in the script's way?"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from grapevine.doctor.page.embeds import Embed, reports_to
from grapevine.doctor.page.findings import PageFinding, cut, hint, ok, problem
from grapevine.doctor.page.page import CheckedPage
from grapevine.doctor.page.policies import (
    CONNECT,
    SCRIPT,
    Policy,
    allows_address,
    allows_script,
    has_nonces,
    parse_policies,
    trusts_by_nonce,
)

HEADER: Final = "content-security-policy"
LONGEST_DIRECTIVE: Final = 600


def policies_of(page: CheckedPage) -> list[Policy]:
    """Returns every policy of a page: of its headers, and of ``meta`` elements, which cannot only report."""
    found: list[Policy] = []
    for value in page.fetched.headers_named(HEADER):
        found += parse_policies(value)
    for value in page.equiv(HEADER):
        found += parse_policies(value)
    for value in page.fetched.headers_named(f"{HEADER}-report-only"):
        found += parse_policies(value, reports_only=True)
    return found


def check_policies(page: CheckedPage, embed: Embed) -> list[PageFinding]:
    """Says whether the script may run, and report, under all policies; and the exact directive that is missing."""
    policies = policies_of(page)
    found = _integrity_policy(page, embed)
    for policy in policies:
        blocked = [*_sandbox(policy), *_script(page, embed, policy), *_connect(page, embed, policy)]
        found += [_only_reports(each) for each in blocked] if policy.reports_only else blocked
    unique = list({(each.code, each.paste): each for each in found}.values())
    if any(each.level == "problem" for each in unique):
        return unique
    says = (
        "The page's security policy (CSP) lets the script run and report."
        if policies
        else "The page has no security policy (CSP) that could be in the way."
    )
    return [ok("csp-ok", says), *unique]


def _only_reports(finding: PageFinding) -> PageFinding:
    return hint(
        "csp-report-only",
        f"A policy that only reports for now would be in the way: {finding.says}",
        "Before you let it block, change this in it:",
        finding.paste,
    )


def _sandbox(policy: Policy) -> list[PageFinding]:
    allowed = {token.lower() for token in policy.directives.get("sandbox", ("allow-scripts", "allow-same-origin"))}
    missing = [token for token in ("allow-scripts", "allow-same-origin") if token not in allowed]
    if not missing:
        return []
    directive = " ".join(("sandbox", *policy.directives["sandbox"], *missing))
    return [
        problem(
            "csp-sandbox",
            "The page's security policy (CSP) puts it into a sandbox in which "
            + ("no script runs." if "allow-scripts" in missing else "the server cannot know whose page it is."),
            "Take sandbox out of the policy, or write:",
            directive,
        )
    ]


def _script(page: CheckedPage, embed: Embed, policy: Policy) -> list[PageFinding]:
    name = policy.in_force(SCRIPT)
    if name is None or embed.address is None:
        return []
    sources = policy.directives[name]
    nonce = embed.element.get("nonce")
    if allows_script(sources, embed.address, page.origin, nonce, embed.element.get("integrity")):
        return _parts(page, embed, name, sources)
    if trusts_by_nonce(sources):
        return [
            problem(
                "csp-script-nonce",
                f"The page's security policy (CSP) lets only scripts run that carry its nonce ({name} has "
                "'strict-dynamic'), and Grapevine's code carries "
                + ("another one." if embed.element.get("nonce") else "none."),
                "Let whatever writes the page put its nonce into the code, anew for each answer, as for your "
                "other scripts:",
                f'<script async nonce="NONCE" src="{embed.address}" data-site="{cut(embed.key, 40)}"></script>',
            )
        ]
    wrong = embed.element.get("nonce") and has_nonces(sources)
    return [
        problem(
            "csp-script-blocked",
            f"The page's security policy (CSP) does not let browsers load the script: {name} does not name "
            f"{cut(embed.origin)}" + (", and the nonce of the code is another one." if wrong else "."),
            _where(name, "script-src"),
            _directive(name, "script-src", sources, embed.origin),
        )
    ]


def _parts(page: CheckedPage, embed: Embed, name: str, sources: tuple[str, ...]) -> list[PageFinding]:
    """Says whether the parts that the script loads may run, too: they have its nonce, but addresses of their own."""
    part = f"{embed.folder}widget.000000000000.buttons.js"
    if trusts_by_nonce(sources) or allows_script(sources, part, page.origin, embed.element.get("nonce")):
        return []
    return [
        hint(
            "csp-parts-blocked",
            "The page's security policy (CSP) lets the script run, but not its parts, such as the buttons: "
            f"{name} names "
            f"that one file and not all of {cut(embed.origin)}.",
            _where(name, "script-src"),
            _directive(name, "script-src", sources, embed.origin),
        )
    ]


def _connect(page: CheckedPage, embed: Embed, policy: Policy) -> list[PageFinding]:
    name = policy.in_force(CONNECT)
    target = f"{reports_to(page, embed)}v1/visits"
    if name is None or embed.address is None or allows_address(policy.directives[name], target, page.origin):
        return []
    parts = urlsplit(target)
    origin = f"{parts.scheme}://{parts.netloc}"
    return [
        problem(
            "csp-connect-blocked",
            f"The page's security policy (CSP) does not let the script report visits: {name} does not name "
            f"{cut(origin)}.",
            _where(name, "connect-src"),
            _directive(name, "connect-src", policy.directives[name], origin),
        )
    ]


def _where(name: str, usual: str) -> str:
    if name == "default-src":
        return f"Add this directive to the policy; without it default-src decides about {usual}:"
    return f"In the policy, replace {name} by:"


def _directive(name: str, usual: str, sources: tuple[str, ...], origin: str) -> str:
    kept = [source for source in sources if source.lower() != "'none'"]
    whole = " ".join((usual if name == "default-src" else name, *kept, origin))
    return whole if len(whole) <= LONGEST_DIRECTIVE else f"{usual} … {origin}"


def _integrity_policy(page: CheckedPage, embed: Embed) -> list[PageFinding]:
    policy = page.fetched.header("integrity-policy")
    if "script" not in policy or embed.element.get("integrity"):
        return []
    return [
        problem(
            "csp-integrity-policy",
            "The page's Integrity-Policy lets only scripts load that have an integrity value.",
            "Pin the script as the widget's documentation says: with the file name and the integrity value of "
            "manifest.json.",
        )
    ]
