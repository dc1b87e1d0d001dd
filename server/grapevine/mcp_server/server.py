"""The MCP server: the official SDK on standard input and output, and the tools behind it.

Every refusal is a sentence that the assistant gets as the tool's result with ``isError``, so that it can correct itself
or tell its user. Nothing but the protocol is written to standard output: the SDK moves the descriptor away while it
serves, and logs go to standard error.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import mcp_types as types
import msgspec
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server

from grapevine import __version__
from grapevine.client import AsyncClient, Retries
from grapevine.client.address import Address
from grapevine.domain.wrong_fields import first_wrong, wrong_fields
from grapevine.errors import GrapevineError, Invalid
from grapevine.http_client import AsyncHTTPTransport
from grapevine.mcp_server.read_only import ReadOnlyTransport
from grapevine.mcp_server.refusals import refusal_text
from grapevine.mcp_server.results import bounded_result, result_schema
from grapevine.mcp_server.schemas import argument_schema
from grapevine.mcp_server.texts import INSTRUCTIONS, TOOL_TEXTS
from grapevine.mcp_server.tools import TOOLS, Tool
from grapevine.mcp_server.untrusted_text import harmless

AT_ONCE: Final = 4
"""Calls that ask the server at the same time."""
MOST_WAITING: Final = 32
"""Calls that wait for one of them; a further one is refused."""
SECONDS: Final = 60.0
"""From the call of a tool to its result, waiting and retries included."""
RETRIES: Final = Retries(attempts=3, patience=45.0)
"""An assistant waits for the result: it is better told soon that the server is away."""

log = logging.getLogger(__name__)

_READS_ONLY: Final = types.ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


class ToolServer:
    """The handlers of the protocol's calls ``tools/list`` and ``tools/call``, with their bounds."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._listed = types.ListToolsResult(tools=[_described(name, tool) for name, tool in TOOLS.items()])
        self._places = asyncio.Semaphore(AT_ONCE)
        self._present = 0

    async def list_tools(self, _: Any, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """Returns all tools; they are few, and the same for every key."""
        return self._listed

    async def call_tool(self, _: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        """Returns a tool's result, or what is wrong."""
        try:
            return await self._called(params.name, params.arguments or {})
        except GrapevineError as error:
            return _refusal(refusal_text(error))
        except TimeoutError:
            return _refusal(
                f"There was no result within {SECONDS:.0f} seconds. Ask for a shorter period, or try later."
            )
        except Exception:
            log.exception("the tool %s failed", harmless(params.name))
            return _refusal("The tool failed. What went wrong is in the log of `grapevine mcp`.")

    async def _called(self, name: str, given: dict[str, Any]) -> types.CallToolResult:
        tool = TOOLS.get(name)
        if tool is None:
            raise Invalid(f"There is no such tool; there are {', '.join(TOOLS)}.")
        try:
            arguments = msgspec.convert(given, tool.arguments)
        except msgspec.ValidationError as error:
            wrong = Invalid.of_all(wrong_fields(given, tool.arguments) or [first_wrong(error)])
            raise Invalid(f"These arguments cannot be used: {wrong.detail}") from None
        if self._present >= AT_ONCE + MOST_WAITING:
            raise Invalid(f"More than {MOST_WAITING} calls are waiting already; call again when some have ended.")
        self._present += 1
        try:
            async with asyncio.timeout(SECONDS), self._places:
                answer = await tool.ask(self._client, arguments)
        finally:
            self._present -= 1
        result = await asyncio.to_thread(lambda: bounded_result(tool.marker.pass_on(answer)))
        text = msgspec.json.encode(result).decode()
        return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=result)


def _described(name: str, tool: Tool) -> types.Tool:
    return types.Tool(
        name=name,
        title=TOOL_TEXTS[name].title,
        description=TOOL_TEXTS[name].description,
        input_schema=argument_schema(tool.arguments),
        output_schema=result_schema(tool.marker),
        annotations=_READS_ONLY,
    )


def _refusal(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)


def reading_client(address: Address, site: str | None) -> AsyncClient:
    """Returns a client of the server that sends nothing but reading calls."""
    transport = ReadOnlyTransport(address.url, AsyncHTTPTransport(trust_env=False))
    return AsyncClient(
        address.url, address.key, site=site, retries=RETRIES, allow_http=True, transport=transport, environ={}
    )


def protocol_server(client: AsyncClient) -> Server[Any]:
    """Returns what speaks the protocol, on whatever streams."""
    tools = ToolServer(client)
    return Server(
        "grapevine",
        version=__version__,
        title="Grapevine",
        instructions=INSTRUCTIONS,
        on_list_tools=tools.list_tools,
        on_call_tool=tools.call_tool,
    )


async def serve_stdio(address: Address, site: str | None) -> None:
    """Serves one assistant until it closes standard input."""
    async with reading_client(address, site) as client:
        server = protocol_server(client)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())
