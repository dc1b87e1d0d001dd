"""Does a consent manager or an optimiser hold the script back?

Both rewrite the line so that browsers do not run it: by a type that is no JavaScript, by moving the address into
another attribute, or by a class. The table has one row for each, from its maker's documentation; any other type that no
browser runs is found by the general rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from grapevine.doctor.page.embeds import Embed
from grapevine.doctor.page.findings import PageFinding, cut, hint, ok, problem
from grapevine.doctor.page.markup import Element
from grapevine.doctor.page.text_windows import windows

JAVASCRIPT: Final = frozenset(
    "application/ecmascript application/javascript application/x-ecmascript application/x-javascript text/ecmascript "
    "text/javascript text/jscript text/livescript text/x-ecmascript text/x-javascript text/javascript1.0 "
    "text/javascript1.1 text/javascript1.2 text/javascript1.3 text/javascript1.4 text/javascript1.5 module".split()
)
"""HTML Standard, 4.12.1: the types of scripts that browsers run (and no type at all)."""


class Holder(NamedTuple):
    """A product that holds scripts back: how its lines are known, and what lets ours through.

    ``attributes`` and ``classes`` are beginnings of names, ``types`` beginnings or ends of types.
    """

    name: str
    free: str
    attributes: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


CONSENT: Final = (
    Holder("Cookiebot", 'data-cookieconsent="ignore"', ("data-cookieconsent", "data-cookieblock-src")),
    Holder("OneTrust", "data-ot-ignore", ("data-ot-",), (), ("optanon-category", "ot-vscat")),
    Holder("Usercentrics", "", ("data-usercentrics", "data-uc-src")),
    Holder("CookieYes", "", ("data-cookieyes",)),
    Holder("Complianz", "", ("data-cmplz-src", "data-cmplz-target"), (), ("cmplz-",)),
    Holder("iubenda", 'class="_iub_cs_skip"', ("data-iub-purposes", "data-suppressedsrc"), (), ("_iub_cs_activate",)),
    Holder("Didomi", "", ("data-purposes",), ("didomi/javascript",)),
    Holder("Borlabs Cookie", "", ("data-borlabs-",)),
    Holder("Osano", 'data-osano="ESSENTIAL"', ("data-osano",)),
    Holder("Termly", 'data-categories="essential"', ("data-categories",)),
    Holder("CookieFirst", 'data-cookiefirst-category="necessary"', ("data-cookiefirst",)),
    Holder("Cookie-Script", "", ("data-cookiescript",)),
    Holder("consentmanager", 'data-cmp-ab="1"', ("data-cmp-",), (), ("cmplazyload",)),
    Holder("TrustArc", "", (), (), ("trustecm",)),
    Holder("Real Cookie Banner", "", ("consent-required", "consent-original-"), ("application/consent",)),
    Holder("CookieConsent", "", ("data-cookiecategory", "data-category")),
    Holder("Klaro", "", ("data-name",), ()),
)
OPTIMISERS: Final = (
    Holder(
        "Cloudflare Rocket Loader",
        'data-cfasync="false"',
        ("data-rocketsrc", "data-cf-settings"),
        ("-text/javascript",),
    ),
    Holder("WP Rocket", "nowprocket", ("data-rocket-",), ("rocketlazyloadscript",)),
    Holder(
        "LiteSpeed Cache", 'data-no-optimize="1" data-no-defer="1"', ("data-litespeed-",), ("litespeed/javascript",)
    ),
    Holder("Perfmatters", "", ("data-perfmatters-",), ("pmdelayedscript",)),
    Holder("NitroPack", "nitro-exclude", ("nitro-", "data-nitro-"), ("nitropack/",)),
    Holder("WP Meteor", 'data-wpmeteor-nooptimize="true"', ("data-wpmeteor-",), ("javascript/blocked",)),
    Holder("Flying Scripts", "", (), ("flying-scripts", "lazy")),
    Holder("10Web Booster", "", ("data-two_delay",)),
    Holder("PageSpeed", "data-pagespeed-no-defer", ("data-pagespeed-orig",), ("text/psajs",)),
    Holder("Hummingbird", "", ("data-wphb-",), ("wphb-delay-type",)),
    Holder("Seraphinite Accelerator", 'seraph-accel-crit="1"', (), ("o/js-",)),
    Holder("Phast", "data-phast-no-defer", ("data-phast-",), ("text/phast", "phast")),
    Holder("Swift Performance", "", (), ("swift/javascript",)),
)
_CONSENT_CALL: Final = re.compile(r"grapevine\)?\s{0,9}\??\.\s{0,9}consent|[\"']consent[\"']\s{0,9},\s{0,9}(?:true|!0)")
_WORKER: Final = "text/partytown"


def is_javascript(element: Element) -> bool:
    """Returns whether browsers run a script element with this type."""
    written = element.attributes.get("type")
    if not written or not written.strip():
        language = element.get("language").lower()
        return not language or f"text/{language}" in JAVASCRIPT
    return written.strip().lower() in JAVASCRIPT


def holder_of(element: Element, holders: tuple[Holder, ...]) -> Holder | None:
    """Returns the first product whose marks an element carries."""
    written = (element.get("type") or element.get("data-type")).lower()
    classes = element.get("class").lower().split()
    for holder in holders:
        if (
            any(name.startswith(holder.attributes) for name in element.attributes if holder.attributes)
            or (holder.types and written.startswith(holder.types))
            or (holder.types and written.endswith(holder.types) and written not in JAVASCRIPT)
            or any(name.startswith(holder.classes) for name in classes if holder.classes)
        ):
            return holder
    return None


def check_held_back(embed: Embed) -> list[PageFinding]:
    """Says whether browsers run the line at once, and if not, which product holds it back and what lets it through."""
    element = embed.element
    if is_javascript(element) and embed.attribute == "src":
        return [
            ok("runs-at-once", "Browsers run the code at once: no cookie banner and no speed plugin holds it back.")
        ]
    if element.get("type").lower() == _WORKER:
        return [
            problem(
                "optimiser-worker",
                "Partytown moves the script into a worker, where it sees neither copies nor clicks.",
                "Take the type out of Grapevine's code:",
                right_line(embed),
            )
        ]
    optimiser = holder_of(element, OPTIMISERS)
    consent = holder_of(element, CONSENT)
    if optimiser is not None:
        return [_delayed(embed, optimiser)]
    if consent is not None:
        return [_waits_for_consent(embed, consent)]
    if element.get("type").lower() == "text/plain" or embed.attribute != "src":
        return [
            hint(
                "consent-holds",
                "Something on the page, probably a cookie banner, holds Grapevine's code back: browsers do not "
                "run it "
                "as it is written. Visitors who do not agree are not counted.",
                "If Grapevine may run without consent, take it off the list of scripts that wait. If not, leave it so.",
            )
        ]
    return [
        problem(
            "script-type",
            f"Grapevine's code has the type {cut(element.get('type'), 60)}, which browsers do not run.",
            "Take the type out:",
            right_line(embed),
        )
    ]


def check_own_consent(embed: Embed, scripts: Sequence[str]) -> list[PageFinding]:
    """Says what ``data-consent="required"`` needs: a script of the page that passes the visitor's answer on."""
    if embed.option("consent") != "required":
        return []
    if any(_CONSENT_CALL.search(text) for script in scripts for text in windows(script)):
        return [
            ok("consent-required", "The code waits until the page says that the visitor agrees, and a script does so.")
        ]
    return [
        hint(
            "consent-required",
            'The code waits until the page says that the visitor agrees (data-consent="required"), and no script that '
            "was read says so. Without it no visit is counted.",
            "Let your cookie banner call this when a visitor agrees:",
            "grapevine.consent(true)",
        )
    ]


def right_line(embed: Embed, extra: str = "") -> str:
    """Returns the line without what holds it back; ``extra`` are attributes that let it through."""
    kept: Mapping[str, str] = {
        name: value for name, value in embed.element.attributes.items() if name.startswith("data-") and name in _OURS
    }
    options = " ".join(f'{name}="{cut(value, 60)}"' for name, value in kept.items())
    words = " ".join(filter(None, ("<script async", extra, f'src="{embed.address}"', options)))
    return f"{words}></script>"


_OURS: Final = frozenset(
    f"data-{name}"
    for name in (
        "site buttons position look copy address-bar link query clean keep consent storage param place theme "
        "lang counts "
        "survey follow endpoint element forward hints ignore"
    ).split()
)


def _delayed(embed: Embed, holder: Holder) -> PageFinding:
    return hint(
        "optimiser-delays",
        f"{holder.name} holds the script back, in its usual setting until a visitor moves, scrolls or taps. "
        "Visitors who "
        "leave before are not counted, and other scripts may see the address first.",
        f"Let {holder.name} leave the code alone:"
        if holder.free
        else f"In {holder.name}, exclude widget.js from delaying.",
        right_line(embed, holder.free) if holder.free else "",
    )


def _waits_for_consent(embed: Embed, holder: Holder) -> PageFinding:
    fix = (
        "Whether Grapevine needs consent is for you to decide (docs/lawful-basis.md). If it does, leave it so, "
        "and name "
        "the site in the address too, since some cookie banners drop data-site."
    )
    if holder.free:
        fix += " If it does not, this lets it run at once:"
    return hint(
        "consent-holds",
        f"{holder.name} holds the script back until a visitor agrees. Visitors who do not agree are not counted.",
        fix,
        right_line(embed, holder.free) if holder.free else "",
    )
