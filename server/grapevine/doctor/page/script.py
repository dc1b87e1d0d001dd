"""Is the script at the address of the line, and is it Grapevine's?"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Final

from grapevine.doctor.page.embeds import Embed
from grapevine.doctor.page.fetch import Fetched, FetchError
from grapevine.doctor.page.findings import PageFinding, cut, hint, ok, problem
from grapevine.doctor.page.held_back import right_line
from grapevine.doctor.page.installation import Installation
from grapevine.doctor.page.snippet import line

MOST_BYTES: Final = 64 << 10
"""The script has a tenth of it."""
_MARK: Final = b"grapevine"


def check_script(embed: Embed, answer: Fetched | FetchError) -> list[PageFinding]:
    """Says whether what is at the script's address is Grapevine's script, and the one that the line pins."""
    address = cut(embed.address or "", 120)
    if isinstance(answer, FetchError):
        return [
            problem(
                "script-unreachable",
                f"The script cannot be loaded from {address}: {answer}",
                "Open that address in a browser. If it fails there, too, look at the server and the proxy in "
                "front of it.",
            )
        ]
    if answer.status != 200:
        return [
            problem(
                "script-unreachable",
                f"There is no script at {address}: the server answers {answer.status}.",
                "Check the address, and whether the proxy hands this path to Grapevine. The dashboard shows the "
                "code as it should be.",
            )
        ]
    if _MARK not in answer.body or "html" in answer.media_type:
        return [
            problem(
                "script-not-ours",
                f"What is at {address} is not Grapevine's script.",
                "Check the address, and whether the proxy hands this path to Grapevine.",
            )
        ]
    return [*_pinned(embed, answer), ok("script-reachable", "The script can be loaded, and it is Grapevine's.")]


def check_own_script(embed: Embed, installation: Installation) -> list[PageFinding]:
    """Says whether the script's address is this server's, where only pages of the site may be visited."""
    if installation.script is None or installation.serves(embed.address):
        return [ok("script-reachable", "The script comes from this server.")] if installation.script else []
    return [
        hint(
            "script-elsewhere",
            f"The script comes from {cut(embed.origin)} and reports there. In the code of this server its address is "
            f"{cut(installation.script)}.",
            "If that is not another address of this server, replace the code by:",
            line(installation.script, embed.key),
        )
    ]


def _pinned(embed: Embed, answer: Fetched) -> list[PageFinding]:
    pinned = embed.element.get("integrity").split()
    if not pinned or answer.is_cut:
        return []
    values = {
        f"{name}-{b64encode(hashlib.new(name, answer.body).digest()).decode()}"
        for name in ("sha256", "sha384", "sha512")
    }
    if not values & {value.partition("?")[0] for value in pinned}:
        return [
            problem(
                "script-integrity",
                "The code has an integrity value of another version of the script, so browsers refuse to run it.",
                "Take integrity out, or pin the file by its name as the widget's documentation says:",
                right_line(embed),
            )
        ]
    if (embed.address or "").partition("?")[0].endswith("/widget.js"):
        return [
            hint(
                "script-integrity",
                "The code pins the script as it is today; after the next upgrade of the server browsers will "
                "refuse it.",
                "Pin the file by its name, widget.HASH.js, which stays the same, or take integrity out:",
                right_line(embed),
            )
        ]
    return []
