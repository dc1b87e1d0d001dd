"""A client of a server's read API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from typing import Any, Final

from grapevine.domain import ids
from grapevine.errors import GrapevineError
from grapevine.http_client import AsyncClient, HTTPError, Request

TOKENS_AT_ONCE: Final = 1_000
_CASCADES_AT_ONCE: Final = 200


class ApiClient:
    """Calls the read API; ``key`` is an API key of the site. Raises GrapevineError unless the server returns 200."""

    def __init__(self, client: AsyncClient, key: str, site: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"}
        self._site = {"site": site}

    async def summary(self, days: range) -> dict[str, Any]:
        """Returns the summary of those days as a flat table: ``shares.total``, ``unfurls.slack``."""
        return dict(_flat(await self._get("/v1/stats/summary", **_period(days))))

    async def breakdown(self, by: str, days: range) -> dict[str | int, int]:
        """Returns the visits of those days by key of the dimension ``by``, without keys that have none."""
        rows = await self._get("/v1/stats/breakdown", by=by, limit="1000", **_period(days))
        return {row["key"]: row["visits"] for row in rows if row["visits"]}

    async def resolve(self, tokens: Sequence[str]) -> list[dict[str, Any]]:
        """Resolves tokens; the results are in their order."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(tokens), TOKENS_AT_ONCE):
            body = {"tokens": tokens[start : start + TOKENS_AT_ONCE]}
            answer = await self._answer(
                self._client.build_request(
                    "POST", "/v1/tokens/resolve", json=body, params=self._site, headers=self._headers
                )
            )
            found += answer["results"]
        return found

    async def cascades(self) -> AsyncIterator[dict[str, Any]]:
        """Yields the summary of every cascade."""
        cursor: dict[str, str] = {}
        while True:
            page = await self._get("/v1/cascades", sort="size", limit=str(_CASCADES_AT_ONCE), **cursor)
            for head in page["cascades"]:
                yield head
            if page["next"] is None:
                return
            cursor = {"cursor": page["next"]}

    async def _get(self, path: str, **parameters: str) -> Any:
        request = self._client.build_request("GET", path, params=self._site | parameters, headers=self._headers)
        return await self._answer(request)

    async def _answer(self, request: Request) -> Any:
        try:
            response = await self._client.send(request)
        except HTTPError as error:
            raise GrapevineError(f"the server did not answer: {error!r}") from None
        if response.status_code != HTTPStatus.OK:
            raise GrapevineError(f"{request.url.path} was answered {response.status_code}: {response.text[:300]}")
        return response.json()


def _period(days: range) -> dict[str, str]:
    return {"from": ids.day_date(days[0]).isoformat(), "to": ids.day_date(days[-1]).isoformat()}


def _flat(table: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{above}{name}.")
        else:
            rows.append((f"{above}{name}", float(value) if isinstance(value, str) else value))
    return rows
