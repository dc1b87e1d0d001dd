"""The argument parser of all commands."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from grapevine import __version__
from grapevine.cli import (
    backup,
    cascades,
    completion,
    conversions,
    copy,
    demo,
    doctor,
    erase,
    export,
    feeds,
    import_log,
    keys,
    links,
    mcp,
    migrate,
    payouts,
    receipt,
    secret,
    serve,
    simulate,
    sites,
    stats,
    tokens,
)
from grapevine.cli.arguments import Commands, config_option
from grapevine.cli.friendly_parser import COMMAND, FriendlyParser, examples_text

_FIRST_STEPS: Final = (
    "grapevine demo",
    'grapevine site add "My shop" --origin https://example.com',
    "grapevine serve",
    'grapevine stats "My shop"',
)


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of ``grapevine``. Parsed arguments have ``run``, an async function of (context, arguments)."""
    parser = FriendlyParser(
        prog="grapevine",
        description="Self-hosted measurement of word of mouth: signed share tokens, share chains, "
        "dark social made visible.",
        epilog="Settings come from GRAPEVINE_* in the environment or from --config FILE.toml. "
        "Exit status: 0 ok, 1 failed, 2 wrong usage.\n\n" + examples_text(_FIRST_STEPS),
    )
    parser.add_argument("--version", action="version", version=f"grapevine {__version__}")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="read settings from this file")
    subparsers = parser.add_subparsers(title="commands", metavar=COMMAND, required=True)
    commands = Commands(subparsers, config_option(), parser)
    for group in (
        serve,
        demo,
        sites,
        keys,
        tokens,
        stats,
        cascades,
        links,
        conversions,
        feeds,
        payouts,
        receipt,
        erase,
        export,
        import_log,
        migrate,
        secret,
        copy,
        backup,
        simulate,
        doctor,
        mcp,
        completion,
    ):
        group.register(commands)
    return parser
