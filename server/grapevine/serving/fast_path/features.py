"""Checks that uvicorn's HTTP protocol has the parts that the fast path relies on."""

from __future__ import annotations

import inspect
from collections.abc import Coroutine
from typing import Any, Final

import uvicorn
from uvicorn.server import ServerState

from grapevine.serving.fast_path.cycles import FastCycle

_METHODS: Final = {
    "connection_made": ("transport",),
    "connection_lost": ("exc",),
    "on_message_begin": (),
    "on_header": ("name", "value"),
    "on_headers_complete": (),
    "on_body": ("body",),
    "on_message_complete": (),
    "on_response_complete": (),
    "shutdown": (),
    "_start_asgi_task": ("cycle", "app"),
}
"""The methods that are overridden or called, with their parameters."""

_ATTRIBUTES: Final = (
    "app_state", "client", "cycle", "expect_100_continue", "flow.drain", "flow.read_paused", "flow.resume_reading",
    "flow.write_paused",     "flow.pause_reading", "headers", "limit_concurrency", "logger", "loop", "parser.feed_data",
    "parser.get_http_version", "parser.get_method", "pipeline.pop", "server_state.total_requests", "tasks.add",
    "timeout_keep_alive", "transport", "url",
)  # fmt: skip
"""Attributes of an instance once a message has begun."""

_CYCLE_ATTRIBUTES: Final = (
    "disconnected", "keep_alive", "message_event", "response_complete", "response_started", "waiting_for_100_continue",
)  # fmt: skip
"""Attributes of uvicorn's own cycle, by which a request is given up or made the last one of its connection."""


class _Transport:
    """A transport that leads nowhere."""

    def get_extra_info(self, _: str, default: Any = None) -> Any:
        return default

    def close(self) -> None:
        pass


class _Task:
    """A task that never ends."""

    def add_done_callback(self, _: Any) -> None:
        pass


class _Loop:
    """A loop that runs nothing."""

    def create_task(self, work: Coroutine[Any, Any, None], **_: Any) -> _Task:
        work.close()
        return _Task()


async def _no_application(_scope: Any, _receive: Any, _send: Any) -> None:
    """The application of a protocol that serves nothing."""


def missing_features(protocol: type[Any]) -> list[str]:
    """Returns the missing features of the class: methods, attributes, or a way to end that a cycle of ours survives."""
    methods = [name for name, parameters in _METHODS.items() if _parameters(protocol, name) != ["self", *parameters]]
    if methods:
        return methods
    try:
        probe = protocol(uvicorn.Config(_no_application, log_config=None), ServerState(), {}, _loop=_Loop())
        probe.connection_made(_Transport())
        probe.on_message_begin()
        attributes = [path for path in _ATTRIBUTES if not _has(probe, path)]
        if attributes:
            return attributes
        probe.parser.feed_data(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        attributes = [f"cycle.{name}" for name in _CYCLE_ATTRIBUTES if not hasattr(probe.cycle, name)]
        if attributes:
            return attributes
        # uvicorn closes a connection through its cycle, which needs the attributes that this reads.
        probe.cycle = FastCycle(probe)
        probe.shutdown()
        probe.connection_lost(None)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    return []


def _parameters(protocol: type[Any], method: str) -> list[str] | None:
    found = getattr(protocol, method, None)
    return None if found is None else list(inspect.signature(found).parameters)


def _has(value: Any, path: str) -> bool:
    for name in path.split("."):
        if not hasattr(value, name):
            return False
        value = getattr(value, name)
    return True
