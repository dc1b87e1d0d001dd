"""The absolute URLs that this server gives away: in snippets, QR codes and whatever else leaves it."""

from __future__ import annotations


def public_url(base_url: str, prefix: str, path: str) -> str:
    """Returns the absolute URL of something that pages call: the script, the collect API, a short link.

    ``base_url`` is where browsers reach this server (``GRAPEVINE_BASE_URL``, else what stands for it), without a path.
    All of these stand below ``prefix`` (``GRAPEVINE_PREFIX``): a proxy may hand over nothing else.
    """
    return f"{base_url}{prefix}{path}"
