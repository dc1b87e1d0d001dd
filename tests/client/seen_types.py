"""What type checkers see of the client: mypy reads this file with all others, and nothing runs it.

One description makes two methods of different types (`client/call.py`), so their types are asserted.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import Any, assert_type

from grapevine.analytics.cascades import CascadeHead
from grapevine.analytics.metrics import BreakdownRow, Summary
from grapevine.analytics.token_resolution import Resolution, Unresolved
from grapevine.client import AsyncClient, Client, FeedEvent


def seen_blocking(client: Client) -> None:
    assert_type(client.tokens.get("x"), Resolution)
    assert_type(client.tokens.resolve(["x"]), list[Resolution | Unresolved])
    assert_type(client.stats.summary("2026-11-01", page="https://a.example/"), Summary)
    assert_type(client.stats.all_rows("page"), Generator[BreakdownRow, None, None])
    assert_type(client.cascades.list("size", page_size=10), Generator[CascadeHead, None, None])
    assert_type(client.live(["share"]), Generator[FeedEvent, None, None])
    client.tokens.get()  # type: ignore[call-arg]
    client.tokens.get(5)  # type: ignore[arg-type]
    client.stats.summary(pages="https://a.example/")  # type: ignore[call-arg]
    client.stats.breakdown("colour")  # type: ignore[arg-type]


async def seen_awaited(client: AsyncClient) -> None:
    await assert_type(client.tokens.get("x"), Coroutine[Any, Any, Resolution])
    assert_type(await client.stats.summary("2026-11-01", page="https://a.example/"), Summary)
    assert_type(client.cascades.list("size", page_size=10), AsyncGenerator[CascadeHead, None])
    assert_type(client.live(), AsyncGenerator[FeedEvent, None])
    await client.tokens.get()  # type: ignore[call-arg]
