"""The bundled load client sends the widget's requests, and counts the responses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.client import Traffic
from tests.bench.ingest import free_port
from tests.bench.load import process

WRITTEN = {
    "visits": {"site", "url", "nonce", "day", "referrer", "title", "channels"},
    "shares": {"site", "session", "token", "url", "title"},
    "views": {"site", "session", "url", "nonce"},
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "tokens").write_text("token-1\ntoken-2\n")
    (tmp_path / "sessions").write_text("session-1\nsession-2\n")
    return {
        "SITE": "site",
        "ORIGIN": "https://bench.example",
        "DAY": "2026-11-22",
        "SEED": "7",
        "TOKENS": str(tmp_path / "tokens"),
        "SESSIONS": str(tmp_path / "sessions"),
    }


@pytest.mark.parametrize("call", WRITTEN)
def test_bodies_are_whole_and_no_nonce_comes_twice(environment: dict[str, str], call: str) -> None:
    traffic = Traffic(environment | {"CALL": call}, "127.0.0.1:1")
    found = []
    for _ in range(100):
        head, _, body = traffic.next().partition(b"\r\n\r\n")
        assert head.startswith(f"POST /v1/{call} HTTP/1.1\r\n".encode())
        assert f"\r\nContent-Length: {len(body)}".encode() in head
        found.append(json.loads(body))
    assert all(WRITTEN[call] <= set(one) <= WRITTEN[call] | {"token"} for one in found)
    if call != "shares":
        assert len({one["nonce"] for one in found}) == len(found)
    if call == "visits":
        assert 5 <= sum("token" in one for one in found) <= 40


@pytest.fixture
def bare() -> Iterator[str]:
    port = str(free_port())
    with process("-m", "tests.bench.bare", port, ready="ready", environment={}):
        yield port


@pytest.mark.process
def test_it_counts_answers(bare: str) -> None:
    command = [sys.executable, "-m", "tests.bench.client", "127.0.0.1", bare, "4", "0.5"]
    done = subprocess.run(command, env=dict(os.environ) | {"CALL": "bare"}, capture_output=True, text=True, check=True)  # noqa: S603
    report = json.loads(done.stdout)
    assert report["failed"] == 0
    assert report["rate"] > 0
    assert 0 < report["p99"] < 0.5
