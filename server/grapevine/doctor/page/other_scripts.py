"""Which other scripts see the page's address before the widget takes the token out of it?"""

from __future__ import annotations

from typing import Final

from grapevine.doctor.page.embeds import Embed
from grapevine.doctor.page.findings import PageFinding, hint, listed, ok
from grapevine.doctor.page.held_back import is_javascript
from grapevine.doctor.page.page import CheckedPage

WATCHERS: Final = {
    "googletagmanager.com/gtm.js": "Google Tag Manager",
    "googletagmanager.com/gtag/js": "Google Analytics",
    "google-analytics.com/analytics.js": "Google Analytics",
    "plausible.io/js/": "Plausible",
    "matomo.js": "Matomo",
    "piwik.js": "Matomo",
    "cloud.umami.is": "Umami",
    "data-website-id": "Umami",
    "posthog.init": "PostHog",
    "posthog.com/static/array": "PostHog",
    "static.hotjar.com": "Hotjar",
    "clarity.ms/tag": "Microsoft Clarity",
    "connect.facebook.net": "Meta Pixel",
    "analytics.tiktok.com": "TikTok Pixel",
    "snap.licdn.com": "LinkedIn Insight",
    "cdn.usefathom.com": "Fathom",
    "gc.zgo.at/count": "GoatCounter",
    "scripts.simpleanalyticscdn.com": "Simple Analytics",
    "cdn.segment.com": "Segment",
    "cdn.mxpnl.com": "Mixpanel",
    "cdn.amplitude.com": "Amplitude",
    "js.hs-scripts.com": "HubSpot",
    "js.hs-analytics.net": "HubSpot",
    "static.cloudflareinsights.com": "Cloudflare Web Analytics",
    "mc.yandex.ru": "Yandex Metrica",
    "assets.adobedtm.com": "Adobe Analytics",
    "edge.fullstory.com": "FullStory",
    "cdn.heapanalytics.com": "Heap",
    "static.ads-twitter.com": "X Pixel",
    "s.pinimg.com/ct": "Pinterest Tag",
    "stats.wp.com": "Jetpack Stats",
}
"""What a script's address or text holds → the product. Each notes the address of the page."""


def watchers_before(page: CheckedPage, embed: Embed) -> list[str]:
    """Returns the products whose scripts stand before our line and are run by browsers."""
    found: list[str] = []
    for each in page.scripts:
        if each is embed.element:
            break
        if not is_javascript(each):
            continue
        text = f"{each.get('src')} {' '.join(each.attributes)} {each.text}"
        found += [name for mark, name in WATCHERS.items() if mark in text and name not in found]
    return found


def check_order(page: CheckedPage, embed: Embed) -> list[PageFinding]:
    """Says which scripts may note the address with the token in it, because they may run before ours."""
    before = watchers_before(page, embed)
    if not before:
        return [ok("order-first", "No other statistics script stands before Grapevine's code.")]
    return [
        hint(
            "order-others-first",
            f"{listed(before)} {'stands' if len(before) == 1 else 'stand'} before Grapevine's code and may note the "
            "address while the token is still in it. Visits are counted all the same.",
            "Move Grapevine's code before theirs, to the top of <head>. With async that makes it likely and not "
            "certain "
            "that it runs first; without the word async it is certain, and the page waits for the script.",
        )
    ]
