"""The fast path steps aside when uvicorn's classes are not what it relies on."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from grapevine.serving.fast_path import http_protocol
from grapevine.serving.fast_path.features import missing_features
from grapevine.serving.fast_path.plain import PlainProtocol
from grapevine.serving.server import Server


class OtherSignature(HttpToolsProtocol):
    """Another release's protocol: it works, but starts the application with one more argument."""

    def _start_asgi_task(self, cycle: Any, app: Any, _context: Any = None) -> None:
        super()._start_asgi_task(cycle, app)


class WithoutPipeline(HttpToolsProtocol):
    """Another release's protocol: it calls its queue by another name."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.waiting_requests = self.pipeline
        del self.pipeline


class AsksMoreOfACycle(HttpToolsProtocol):
    """Another release's protocol: it asks something of a cycle that ours does not have."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.cycle.abandon()  # type: ignore[attr-defined]
        super().connection_lost(exc)


class OtherCycle(HttpToolsProtocol):
    """Another release's protocol: its cycles have another name for a connection that is gone."""

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        del cycle.disconnected
        super()._start_asgi_task(cycle, app)


def without(method: str) -> type[Any]:
    """Returns the protocol class without a method."""
    kept = {name: value for name, value in vars(HttpToolsProtocol).items() if name not in (method, "__dict__")}
    return type("Without", (asyncio.Protocol,), kept)


def test_uvicorn_as_installed_has_everything() -> None:
    assert missing_features(HttpToolsProtocol) == []


@pytest.mark.parametrize(
    ("protocol", "missing"),
    [
        (without("_start_asgi_task"), ["_start_asgi_task"]),
        (without("on_response_complete"), ["on_response_complete"]),
        (OtherSignature, ["_start_asgi_task"]),
        (WithoutPipeline, ["pipeline.pop"]),
        (OtherCycle, ["cycle.disconnected"]),
        (AsksMoreOfACycle, ["AttributeError: 'FastCycle' object has no attribute 'abandon'"]),
    ],
)
def test_what_is_missing_is_named(protocol: type[Any], missing: list[str]) -> None:
    assert missing_features(protocol) == missing


async def greet(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An application that says which protocol class serves it, and completes its lifespan."""
    if scope["type"] == "lifespan":
        for message in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{message}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.anyio
async def test_a_server_runs_without_the_fast_path_and_logs_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(httptools_impl, "HttpToolsProtocol", OtherSignature)
    with caplog.at_level(logging.WARNING, "grapevine"):
        server = Server(greet)
    assert isinstance(http_protocol()(server.config, ServerState(), {}), PlainProtocol)
    assert [record.getMessage().partition(" does not")[2] for record in caplog.records][:1] == [
        " have what the fast path relies on (_start_asgi_task): every request goes through ASGI"
    ]
    serving = asyncio.create_task(server.work())
    await server.ready.wait()
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(server.url)).text == "ok"
    server.stop()
    await serving
