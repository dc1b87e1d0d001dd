"""The argument parser of all commands."""

from __future__ import annotations

import argparse
from pathlib import Path

from grapevine import __version__
from grapevine.cli import (
    backup,
    cascades,
    copy,
    demo,
    doctor,
    erase,
    export,
    keys,
    migrate,
    secret,
    serve,
    simulate,
    sites,
    stats,
    tokens,
)
from grapevine.cli.arguments import Commands, config_option


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of ``grapevine``. Parsed arguments have ``run``, an async function of (context, arguments)."""
    parser = argparse.ArgumentParser(
        prog="grapevine",
        description="Self-hosted measurement of word of mouth: signed share tokens, share chains, "
        "dark social made visible.",
        epilog="Settings come from GRAPEVINE_* in the environment or from --config FILE.toml. "
        "Exit status: 0 ok, 1 failed, 2 wrong usage.",
    )
    parser.add_argument("--version", action="version", version=f"grapevine {__version__}")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="read settings from this file")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commands = Commands(subparsers, config_option())
    for group in (
        serve,
        demo,
        sites,
        keys,
        tokens,
        stats,
        cascades,
        erase,
        export,
        migrate,
        secret,
        copy,
        backup,
        simulate,
        doctor,
    ):
        group.register(commands)
    return parser
