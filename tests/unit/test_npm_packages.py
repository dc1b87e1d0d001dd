"""Packages from the npm registry: what is not the pinned archive is never used, and what cannot be had is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.support import npm_packages
from tests.support.npm_packages import PackageError, fetch

PACKAGE = "pkg:npm/%40scope/router@1.2.3"
BODY = b"an archive"


@pytest.fixture(autouse=True)
def _pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm_packages, "INTEGRITY", {PACKAGE: npm_packages.integrity(BODY)})


def registry(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[httpx.MockTransport, list[str]]:
    """A registry, and the paths that it was asked for."""
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return answer(request)

    return httpx.MockTransport(respond), asked


def test_an_archive_is_fetched_once_and_compared_each_time(tmp_path: Path) -> None:
    transport, asked = registry(lambda _: httpx.Response(200, content=BODY))
    file = fetch(PACKAGE, tmp_path / "new", transport)
    assert (file.name, file.read_bytes()) == ("router-1.2.3.tgz", BODY)
    assert fetch(PACKAGE, tmp_path / "new", transport) == file
    assert asked == ["/@scope/router/-/router-1.2.3.tgz"]
    file.write_bytes(b"damaged")
    assert fetch(PACKAGE, tmp_path / "new", transport).read_bytes() == BODY
    assert len(asked) == 2
    assert [path.name for path in (tmp_path / "new").iterdir()] == [file.name]


def test_another_archive_is_refused(tmp_path: Path) -> None:
    transport, _ = registry(lambda _: httpx.Response(200, content=b"something else"))
    with pytest.raises(
        PackageError, match=r"^pkg:npm/%40scope/router@1.2.3 is not the archive that the tests know: sha"
    ):
        fetch(PACKAGE, tmp_path, transport)
    assert list(tmp_path.iterdir()) == []


def test_a_registry_that_cannot_be_reached_is_said(tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no network", request=request)

    transport, asked = registry(refuse)
    with pytest.raises(PackageError, match=rf"no network.* put this version's archive at {tmp_path}/router-1.2.3.tgz$"):
        fetch(PACKAGE, tmp_path, transport)
    assert len(asked) == npm_packages.ATTEMPTS
    transport, asked = registry(lambda _: httpx.Response(404))
    with pytest.raises(PackageError, match="404"):
        fetch(PACKAGE, tmp_path, transport)
    assert len(asked) == 1


def test_a_connection_that_breaks_is_tried_again(tmp_path: Path) -> None:
    def break_once(request: httpx.Request) -> httpx.Response:
        if len(asked) == 1:
            raise httpx.ReadError("broken", request=request)
        return httpx.Response(200, content=BODY)

    transport, asked = registry(break_once)
    assert fetch(PACKAGE, tmp_path, transport).read_bytes() == BODY
