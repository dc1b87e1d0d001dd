"""Is our line on the page, and is it written as it must be?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import urlsplit

from grapevine.doctor.page.embeds import Embed, added_by_script, holds_line
from grapevine.doctor.page.findings import PageFinding, cut, hint, ok, problem
from grapevine.doctor.page.held_back import is_javascript, right_line
from grapevine.doctor.page.installation import Installation
from grapevine.doctor.page.markup import Element
from grapevine.doctor.page.page import CheckedPage, is_local_host
from grapevine.sites.api_keys import KEY_PREFIX

PLACEHOLDER: Final = re.compile(
    r"(?:your|my|the)?[\W_]*(?:site|public)?[\W_]*(?:key|id)|x{3,}|\W*|(?:__|\{|<|%|\$|\[).{0,80}", re.IGNORECASE
)
CURLY: Final = "“”„‟«»‘’‚‛″′"
_QUOTES: Final = CURLY + "\"'"
_ADDRESS_IN_TEXT: Final = re.compile(r"/widget(?:\.[0-9a-f]{6,20})?\.js")
_ATTRIBUTES_AS_TEXT: Final = re.compile(r"\s{0,99}(?:async|defer|src|data-site)\b\s{0,9}(?:=|src|data-)")
_MERGED: Final = re.compile(
    r"/(?:autoptimize_|cache/(?:min|autoptimize|wpfc|breeze|hummingbird)|wp-content/litespeed/js/)"
)


def line(address: str, key: str) -> str:
    """Returns our line as it should be."""
    return f'<script async src="{escape(address)}" data-site="{escape(key)}"></script>'


def check_missing(page: CheckedPage, installation: Installation, scripts: Sequence[str]) -> list[PageFinding]:
    """Says why a page without our line has none: it is somewhere where browsers do not run it, or not there at all."""
    usual = _usual_line(page, installation)
    where = _elsewhere(page, usual)
    if where is not None:
        return [where]
    broken = next((each for each in page.scripts if is_broken(each)), None)
    if broken is not None:
        return [_broken(broken.line, usual)]
    added = added_by_script(page, scripts)
    if added is not None:
        return [
            hint(
                "snippet-added-by-script",
                f"{added} seems to add Grapevine's code in the browser. "
                "This check reads the page as it arrives and runs no scripts, so it cannot see the result.",
                "Open the page in a browser: the dashboard shows the visit within seconds. Check that the added script "
                "names the site, if need be in its address:",
                (installation.script or "https://YOUR-SERVER/widget.js") + f"?site={_key(page, installation)}",
            )
        ]
    if any("googletagmanager.com/gtm.js" in each.text + each.get("src") for each in page.scripts):
        return [
            hint(
                "snippet-in-tag-manager",
                "Grapevine's code is not in the page. Google Tag Manager is, and may add it in the browser, which this "
                "check cannot see.",
                "If it is in a tag there, open the page in a browser: the dashboard shows the visit within seconds. In "
                "a Custom HTML tag, name the site in the address, since Tag Manager drops data-site:",
                usual.replace('" data-site="', "?site="),
            )
        ]
    merged = any(_MERGED.search(each.get("src")) for each in page.scripts)
    return [
        problem(
            "snippet-missing",
            "Grapevine's code is not on this page."
            + (" A speed plugin joins scripts into one file here and may have swallowed it." if merged else ""),
            (
                "Tell the plugin to leave out widget.js, empty its cache, and check again. The code is:"
                if merged
                else "Paste it into the page, before </head>. If you have done so already, empty the cache of your "
                "website, its plugins and its CDN, and check again."
            ),
            usual,
        )
    ]


def _elsewhere(page: CheckedPage, usual: str) -> PageFinding | None:
    """Returns the finding of a line that is in the page, but where no browser runs it."""
    for each in page.markup.elements:
        if each.is_inert and each.name == "script" and ("widget" in each.get("src") or each.get("data-site")):
            return problem(
                "snippet-in-template",
                f"Grapevine's code is inside a <template> (line {each.line}), where browsers do not run it.",
                "Move it out of the template, to before </head>.",
                usual,
            )
        if each.name == "noscript" and holds_line(each.text):
            return problem(
                "snippet-in-noscript",
                f"Grapevine's code is inside <noscript> (line {each.line}), which only browsers without "
                "JavaScript read.",
                "Move it out of <noscript>, to before </head>.",
                usual,
            )
        if each.name == "iframe" and holds_line(each.get("srcdoc") + each.text):
            return problem(
                "snippet-in-frame",
                f"Grapevine's code is inside a frame (line {each.line}), so it sees the frame and not the page.",
                "Take it out of the frame and put it into the page itself, before </head>.",
                usual,
            )
    if any(holds_line(text) for text in page.markup.comments):
        return problem(
            "snippet-in-comment",
            "Grapevine's code is inside a comment (<!-- … -->), which browsers skip.",
            "Take away the <!-- before it and the --> behind it.",
            usual,
        )
    if any(holds_line(text) for text in page.markup.texts):
        return problem(
            "snippet-as-text",
            "Grapevine's code stands on the page as text that visitors read, so browsers do not run it.",
            "Paste it into a field for HTML or code (in WordPress the block “Custom HTML”), not into one for text.",
            usual,
        )
    return None


def check_line(page: CheckedPage, embeds: list[Embed], installation: Installation) -> list[PageFinding]:
    """Checks how our line is written. The first one counts: a second copy of the script does nothing."""
    first = embeds[0]
    key = _clean(first.key)
    if not key or key.startswith(KEY_PREFIX):
        key = _key(page, installation)
    right = line(first.address or installation.script or "", key)
    if is_broken(first.element):
        return [_broken(first.element.line, right)]
    found = _quotes(first, right) or [
        *_address(page, first, right),
        *_key_of(first, right),
        *_options(page, first),
    ]
    keys = {embed.key for embed in embeds if embed.key}
    if len(keys) > 1:
        found.append(
            problem(
                "snippet-two-sites",
                f"The page has Grapevine's code for {len(keys)} sites; only the first to load counts, and which one "
                "that is may change from visit to visit.",
                "Keep one of them.",
                right,
            )
            if _both_async(embeds)
            else hint(
                "snippet-two-sites",
                f"The page has Grapevine's code for {len(keys)} sites. Only the first one counts.",
                "Keep one of them.",
                right,
            )
        )
    elif len(embeds) > 1:
        found.append(
            hint(
                "snippet-twice",
                f"Grapevine's code is on the page {len(embeds)} times. It counts once, and the others do nothing.",
                "Keep one of them; often a theme and a plugin both add it.",
            )
        )
    if not any(finding.level == "problem" for finding in found):
        found.insert(0, ok("snippet-found", f"Grapevine's code is on the page, in line {first.element.line}."))
    return found


def is_broken(element: Element) -> bool:
    """Returns whether an editor broke our line: with a ``<br>`` inside, a lost quotation mark or a lost end tag."""
    values = " ".join((*element.attributes.values(), element.text[:500]))
    names_site = "data-site" in element.attributes or "data-site" in values or "site=" in values
    if not names_site or not _ADDRESS_IN_TEXT.search(values):
        return False
    if element.get("src") and (not element.is_closed or "<" in element.text):
        return True
    if any(mark in name for name in element.attributes for mark in "<\"'"):
        return True
    return _ATTRIBUTES_AS_TEXT.match(element.text) is not None


def _broken(line_number: int, right: str) -> PageFinding:
    return problem(
        "snippet-broken",
        f"Grapevine's code in line {line_number} is damaged: a quotation mark or its end, </script>, got lost, or an "
        "editor put line breaks into it.",
        "Delete it and paste it again, into a field for HTML or code, as one line:",
        right,
    )


def _both_async(embeds: list[Embed]) -> bool:
    return all("async" in embed.element.attributes for embed in embeds)


def _quotes(embed: Embed, right: str) -> list[PageFinding]:
    values = [embed.element.get(name) for name in (embed.attribute, "data-site")]
    if not any(value[:1] in _QUOTES or value[-1:] in _QUOTES for value in values if value):
        return []
    return [
        problem(
            "snippet-quotes",
            "The quotation marks in Grapevine's code were changed into typographic ones, so browsers cannot read it: "
            f"{cut(' '.join(value for value in values if value), 120)}",
            "Paste it again as it is here, into a field for HTML or code:",
            right,
        )
    ]


def _clean(value: str) -> str:
    return value.strip(_QUOTES + " ")


def _address(page: CheckedPage, embed: Embed, right: str) -> list[PageFinding]:
    if embed.address is None:
        return [
            problem(
                "snippet-without-address",
                "Grapevine's code has no address (src) that a browser could load the script from.",
                "A speed plugin may have copied the script into the page: let it leave out widget.js. The code is:",
                right,
            )
        ]
    parts, found = urlsplit(embed.address), []
    if is_local_host(parts.hostname or "") and not page.is_local:
        found.append(
            problem(
                "snippet-local-address",
                f"The script's address, {cut(embed.origin)}, is one that only the server's own machine can reach.",
                "On the server, set GRAPEVINE_BASE_URL to the address at which browsers reach it, then take the code "
                "from the dashboard anew. The setting is, for instance:",
                "GRAPEVINE_BASE_URL=https://share.example.com",
            )
        )
    elif parts.scheme == "http" and page.url.startswith("https:") and not _upgraded(page):
        found.append(
            problem(
                "snippet-mixed-content",
                "The page is https and the script's address is http: browsers refuse to load it.",
                "Give the server a certificate, and write https in the code:",
                right.replace('src="http:', 'src="https:'),
            )
        )
    return found


def _upgraded(page: CheckedPage) -> bool:
    policies = (*page.fetched.headers_named("content-security-policy"), *page.equiv("content-security-policy"))
    return any("upgrade-insecure-requests" in policy for policy in policies)


def _key_of(embed: Embed, right: str) -> list[PageFinding]:
    key = _clean(embed.key)[:100]
    if not key:
        return [
            problem(
                "snippet-without-site",
                "Grapevine's code does not name the site: data-site is missing. Speed plugins and tag managers "
                "drop it.",
                "Put the site into the address, which they leave alone:",
                right.replace('" data-site="', "?site="),
            )
        ]
    if key.startswith(KEY_PREFIX):
        return [
            problem(
                "snippet-secret-key",
                "Grapevine's code has an API key where the site's key belongs. Everybody who opens the page can read "
                "it, and use it.",
                "Take it out of the page, and make it useless: grapevine key list shows its ID, and grapevine "
                "key revoke "
                "ID ends it. The code, with the site's key, is:",
                right,
            )
        ]
    if PLACEHOLDER.fullmatch(key):
        return [
            problem(
                "snippet-placeholder",
                f"Grapevine's code still says {cut(key, 40)} where the site's key belongs.",
                "Take the code from the dashboard or from grapevine site list; your key is in it:",
                right,
            )
        ]
    return []


def _options(page: CheckedPage, embed: Embed) -> list[PageFinding]:
    attributes, found = embed.element.attributes, []
    waits = not {"async", "defer"} & attributes.keys() and embed.element.get("type") != "module"
    if waits and embed.attribute == "src" and is_javascript(embed.element):
        found.append(
            hint(
                "snippet-not-async",
                "Grapevine's code has no async, so the page waits for the script each time.",
                "Write the word async into it:",
                right_line(embed),
            )
        )
    if "nomodule" in attributes:
        found.append(
            problem(
                "snippet-nomodule",
                "Grapevine's code says nomodule, so only very old browsers run it.",
                "Take the word out.",
            )
        )
    if embed.ignores_visitors:
        found.append(
            problem(
                "snippet-ignore",
                "Grapevine's code says that the visitors of this page are not to be counted (data-ignore), and says so "
                "to everybody: this check was not signed in.",
                "Take data-ignore out, or let your website write it for your own people alone.",
            )
        )
    endpoint = embed.option("endpoint")
    target = page.absolute(endpoint) if endpoint else None
    if endpoint and target is None:
        found.append(
            problem(
                "snippet-endpoint",
                f"data-endpoint is {cut(endpoint, 80)}, which is no address.",
                "Take data-endpoint out: reports then go where the script comes from.",
            )
        )
    elif target is not None and target.startswith("http:") and page.url.startswith("https:"):
        found.append(
            problem(
                "snippet-endpoint",
                "data-endpoint begins with http:, and browsers send nothing there from a page that is https.",
                "Write https there, or take data-endpoint out: reports then go where the script comes from.",
            )
        )
    return found


def _key(page: CheckedPage, installation: Installation) -> str:
    site = installation.site_of(page.origin)
    return site.key if site is not None else "SITE_KEY"


def _usual_line(page: CheckedPage, installation: Installation) -> str:
    return line(installation.script or "https://YOUR-SERVER/widget.js", _key(page, installation))
