"""What came back: an answer that is a page, or else why it is none."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from grapevine.doctor.page.fetch import MOST_BYTES, Fetched
from grapevine.doctor.page.findings import PageFinding, cut, hint, problem
from grapevine.doctor.page.page import CheckedPage

_LOGIN: Final = ("login", "log-in", "signin", "sign-in", "wp-login", "anmelden", "connexion", "accounts")
_HTML: Final = ("text/html", "application/xhtml+xml")
_BROWSER: Final = (
    "Open the address in a private window. If the page is there, a firewall refuses programs: let it admit the one "
    "called GrapevineDoctor."
)


def check_answer(fetched: Fetched) -> list[PageFinding]:
    """Says why an answer is no page that can be checked; nothing if it is one."""
    status, host = fetched.status, urlsplit(fetched.url).hostname
    if status == 401:
        return [
            problem(
                "page-login",
                "The page asks for a password before it shows anything (401).",
                "Check a page that everybody can open, or take the password away while you check.",
            )
        ]
    if status in (403, 429, 451) or (status == 503 and fetched.header("cf-mitigated")):
        return [problem("page-refused", f"{host} refuses to show the page to this check ({status}).", _BROWSER)]
    if status in (404, 410):
        return [problem("page-missing", f"There is no page at this address ({status}).", "Check how it is written.")]
    if status >= 500:
        return [
            problem("page-error", f"{host} answers with an error ({status}).", "Look at the log of your web server.")
        ]
    if not 200 <= status < 300:
        return [problem("page-refused", f"{host} answers {status} instead of a page.", _BROWSER)]
    if fetched.media_type and fetched.media_type not in _HTML:
        return [
            problem(
                "page-not-html",
                f"What is at this address is no web page: its type is {cut(fetched.media_type, 60)}.",
                "Check the address of a page. If it is one, let the web server send Content-Type: text/html.",
            )
        ]
    if not fetched.body.strip():
        return [problem("page-empty", "The page is empty.", "Open the address in a browser to see what it shows.")]
    return []


def check_whole(page: CheckedPage) -> list[PageFinding]:
    """Says what makes the check less than certain: a page too large to be read to its end, or a wall in front."""
    found: list[PageFinding] = []
    if page.fetched.is_cut or not page.markup.is_whole:
        found.append(
            hint(
                "page-large",
                f"The page is large; its first {MOST_BYTES >> 20} MiB or 5,000 elements were read.",
                "If Grapevine's code comes later, move it to the top, into <head>.",
            )
        )
    if page.fetched.passed and _is_login(page):
        found.append(
            hint(
                "page-login",
                f"The address leads to a page to log in, {cut(page.url, 120)}, which is what was checked.",
                "Check a page that everybody can open.",
            )
        )
    robots = f"{page.fetched.header('x-robots-tag')} {page.meta('robots')}".lower()
    if "noindex" in robots or robots.split() == ["none"]:
        found.append(
            hint(
                "page-noindex",
                "The page asks robots to leave it out (noindex). Search engines do not list it, and some apps may show "
                "no preview of its links.",
                "If it is meant to be found and shared, take noindex out of the page's robots element or of the "
                "X-Robots-Tag that the web server sends.",
            )
        )
    policy = (page.fetched.header("referrer-policy").split(",")[-1].strip() or page.meta("referrer")).lower()
    if policy in ("no-referrer", "same-origin"):
        found.append(
            hint(
                "referrer-policy",
                f"The page's Referrer-Policy is {policy}. Reports that a browser sends while the page is being "
                "left then "
                "do not say whose page it is, and are refused.",
                "Write instead:",
                "Referrer-Policy: strict-origin-when-cross-origin",
            )
        )
    return found


def _is_login(page: CheckedPage) -> bool:
    words = urlsplit(page.url).path.lower().strip("/").split("/")
    if any(word.startswith(_LOGIN) for word in words):
        return True
    return any(each.get("type").lower() == "password" for each in page.markup.named("input"))
