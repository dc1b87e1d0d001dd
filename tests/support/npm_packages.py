"""Routers and analytics of other projects for the browser tests: packages from the npm registry, in pinned versions.

`python -m tests.support.npm_packages` fetches them; `make test` does it. They are for tests alone: nothing of them is
in the repository or in what is installed (docs/decisions/0046-routers-in-tests-by-package-url.md).
"""

from __future__ import annotations

import base64
import hashlib
import sys
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx
from packageurl import PackageURL
from packageurl.contrib.purl2url import get_download_url

FOLDER: Final = Path(__file__).resolve().parents[2] / ".cache" / "npm"
SECONDS: Final = 60
ATTEMPTS: Final = 3

INTEGRITY: Final = {
    "pkg:npm/%40hotwired/turbo@8.0.23": (
        "GZ7cijxEZ6Ig71u7rD6LHaRv/wcE/hNsc+nEfiWOkLNqUgLOwo5MNGWOy5ZV9ZUDSiQx1no7YxjTNnT4O6//cQ=="
    ),
    "pkg:npm/%40plausible-analytics/tracker@0.4.6": (
        "nbu6xGgSP6jeYuoVklZBzucUnIpo75tVu3Kr+R0EDycVKaMC/jF5Q/YCaM/8gR4fPZ1IDcXt6FdBJFZ1uZwEPA=="
    ),
    "pkg:npm/htmx.org@2.0.11": (
        "Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA=="
    ),
    "pkg:npm/htmx.org@4.0.1": (
        "oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg=="
    ),
    "pkg:npm/pjax@0.2.8": "IeVXXIZJzxVDYzV2Td5MZkWJcny8JRCz2dQ1xxhIUbIFgP+08ymV7WXVtbF8NlUd2MZKH1cNvhuTOd2QAOGcOg==",
    "pkg:npm/posthog-js@1.449.2": (
        "vji+h92IHaLlFSEnRH1hwe8uLWGOdDUImmPXexj/+V7Xm7HTxIQisYE/Kom7Aaw4DRpzfdhQxiyAN1YVYR4G8Q=="
    ),
    "pkg:npm/react@19.3.1": "QNhWdt7nrgVWWQG58QuGsAR3jv3Hbe4mb4vz7w2csnHavciZJgda1CPNaldF6eVxv90ud3jUXpKlHL69gO38yw==",
    "pkg:npm/react-dom@19.3.1": (
        "Y0bARz53lhEC1NMCASs0/j+faB/zqt3R8hpvg1e8+61ZVJ4UL0UdC4cBbXfZMcIuhrfgeILTLe+ZeBCavQPtKQ=="
    ),
    "pkg:npm/react-router@7.18.7": (
        "nXl672FFobymVY/Ywbo0DnlXV/+VXOB5pOslCeuVqoegwwL7sau2yASdyGoWHvPRxAoqUBrAiFZRdli4nT7Wow=="
    ),
    "pkg:npm/scheduler@0.28.0": (
        "juorfCmIkIw8tT+p5BXSm6PJjQF/ycEYmKyzURCIt/RaZIhL+PulbQ9Yu2z1HdOJDdqDTlxA1+xKBmHXJsczAw=="
    ),
    "pkg:npm/swup@4.10.0": "bzl5u94ovy5YDc+6No28De2TgMWK47Ym0uuMpN9kmzu+NWm3/mhQrmRPjArsFpfVTWO1nMFUZrKRwpRjS6eNJg==",
    "pkg:npm/umami@2.10.0": "+lmrnV0751R6U2rkIgVAlE1nWI7yZawlMlJDguW9tlFacCKhnGeCyc7tCMIhNNYIiGIQy4DEX5IzJhm4b3+dPA==",
    "pkg:npm/vue@3.5.45": "3cvsib8m9c0vB24+MDKsgcW4+Da4xaBl9Z/5Tbm2pmSIsRPxcil4cdXjXlVsmJ2g64XJo5h+IRd7rsdGT9pZaw==",
    "pkg:npm/vue-router@5.5.1": (
        "lUENd/QIhKd2HWACnXID3us0GWBnuOi3BwkTUzce2+4nfM/b3seV5saNURM9+wt48/qUxviotpcm7yFxC0U4qA=="
    ),
}
"""SHA-512 in base64, as in the registry's `dist.integrity`, by package URL (https://github.com/package-url/purl-spec)."""


class PackageError(Exception):
    """A package that cannot be had; its text is for the person who runs the tests."""


def read(package: str, path: str) -> str:
    """Returns the text of one file of a package, which is fetched unless it is there already."""
    with tarfile.open(fetch(package)) as archive:
        member = archive.extractfile(f"package/{path}")
        assert member, f"{package} has no file {path}"
        return member.read().decode("utf-8")


def fetch(package: str, folder: Path = FOLDER, transport: httpx.BaseTransport | None = None) -> Path:
    """Returns the package's archive in `folder`. Raises PackageError if it cannot be had, or is another one."""
    expected = INTEGRITY[package]
    named = PackageURL.from_string(package)
    file = folder / f"{named.name}-{named.version}.tgz"
    if file.exists() and integrity(file.read_bytes()) == expected:
        return file
    try:
        body = _download(get_download_url(package), transport)  # type: ignore[no-untyped-call]
    except httpx.HTTPError as error:
        raise PackageError(
            f"{package} cannot be fetched from the npm registry ({error}). The browser tests need it: run "
            f"`make test` once where the registry can be reached, or put this version's archive at {file}"
        ) from error
    if (found := integrity(body)) != expected:
        raise PackageError(f"{package} is not the archive that the tests know: sha512-{found} instead of {expected}")
    folder.mkdir(parents=True, exist_ok=True)
    # Several processes may fetch at the same time; each puts a whole file in place.
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
        part.write(body)
    Path(part.name).replace(file)
    return file


def _download(url: str, transport: httpx.BaseTransport | None) -> bytes:
    with httpx.Client(transport=transport, follow_redirects=True, timeout=SECONDS) as client:
        for _ in range(ATTEMPTS - 1):
            with suppress(httpx.TransportError):
                return client.get(url).raise_for_status().content
        return client.get(url).raise_for_status().content


def integrity(body: bytes) -> str:
    return base64.b64encode(hashlib.sha512(body).digest()).decode()


def main() -> int:
    """Fetches all packages; returns the exit status."""
    try:
        for package in INTEGRITY:
            fetch(package)
    except PackageError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
