"""``grapevine mcp``: read-only tools for an assistant, over standard input and output."""

from __future__ import annotations

import signal
from argparse import Namespace
from pathlib import Path

from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext
from grapevine.errors import SettingError
from grapevine.mcp_server.access import find_access


def register(commands: Commands) -> None:
    """Adds the command ``mcp`` to the parser."""
    parser = commands.add(
        "mcp",
        mcp,
        "let an AI assistant read a site's numbers",
        more="Serves read-only tools by the Model Context Protocol, on standard input and output alone. An assistant "
        "starts this command by itself; docs/mcp.md has the lines for its settings. The API key comes from "
        "GRAPEVINE_KEY or from a file, never from an argument; a key of scope read is enough. Needs: pip install "
        "'grapevine-share[mcp]'.",
        examples=(
            "grapevine mcp --server https://share.example.com --key-file ~/.config/grapevine/key",
            "grapevine mcp --server http://127.0.0.1:8000 --site 3kTz9Qa1",
        ),
        prints_json=False,
    )
    parser.add_argument(
        "--server", metavar="URL", help="the address of the Grapevine server (default: what GRAPEVINE_URL says)"
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="the file that holds the API key and that only you can read (default: what GRAPEVINE_KEY or "
        "GRAPEVINE_KEY_FILE says)",
    )
    parser.add_argument(
        "--allow-http", action="store_true", help="let the key go to another machine unencrypted, by http://"
    )
    parser.add_argument(
        "--site", dest="site_key", metavar="KEY", help="the site's key, where the API key reaches several sites"
    )


async def mcp(context: CommandContext, arguments: Namespace) -> int:
    """Serves one assistant until it closes standard input."""
    address = find_access(context.environ, arguments.server, arguments.key_file, allow_http=arguments.allow_http)
    try:
        from grapevine.mcp_server.server import serve_stdio
    except ModuleNotFoundError as error:
        name = "mcp" if error.name == "mcp_types" else error.name  # which comes with it
        raise SettingError(
            f"mcp: tools for assistants need the package {name}; run: pip install 'grapevine-share[mcp]'"
        ) from None
    # A thread waits for the next line of standard input, and no exception reaches it: Ctrl-C ends the process itself.
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        await serve_stdio(address, arguments.site_key)
    finally:
        signal.signal(signal.SIGINT, handler)
    return 0
