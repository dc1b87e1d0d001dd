"""Helpers for argparse: adding commands, shared options, and types of arguments."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

from grapevine.cli.context import CommandContext
from grapevine.cli.friendly_parser import COMMAND, examples_text

SITE_HELP: Final = "the site's key, or its name where no other site has it"

Run = Callable[[CommandContext, argparse.Namespace], Awaitable[int]]


class Commands:
    """Adds commands to a parser; ``group`` adds a level of them (``site add``)."""

    def __init__(self, subparsers: Any, shared: argparse.ArgumentParser, owner: argparse.ArgumentParser) -> None:
        self._subparsers = subparsers
        self._shared = shared
        self.owner = owner
        self._first_examples: list[str] = []

    def add(
        self, name: str, run: Run, summary: str, *, examples: tuple[str, ...], more: str = "", prints_json: bool = True
    ) -> argparse.ArgumentParser:
        """Adds a command and returns its parser. ``prints_json`` gives it the option ``--json``.

        ``examples`` are whole command lines for its help; a group of commands shows the first one of each.
        """
        description = f"{summary[0].upper()}{summary[1:]}. {more}".strip()
        parser: argparse.ArgumentParser = self._subparsers.add_parser(
            name, help=summary, description=description, parents=[self._shared], epilog=examples_text(examples)
        )
        if prints_json:
            parser.add_argument("--json", action="store_true", help="print JSON instead of text for people")
        parser.set_defaults(run=run, parser=parser)
        self._first_examples.append(examples[0])
        if self.owner.prog != "grapevine":
            self.owner.epilog = examples_text(self._first_examples)
        return parser

    def group(self, name: str, summary: str) -> Commands:
        """Adds a command that only holds others."""
        parser = self._subparsers.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        below = parser.add_subparsers(title="commands", metavar=COMMAND, required=True)
        return Commands(below, self._shared, parser)


def config_option() -> argparse.ArgumentParser:
    """Returns a parser of ``--config``, so that the option may also follow the command."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config",
        type=Path,
        metavar="FILE.toml",
        default=argparse.SUPPRESS,
        help="read settings from this file",
    )
    return shared


def port(text: str) -> int:
    """Parses a TCP port; 0 means any free one."""
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535, 0 for any that is free")
    return int(text)


def count(text: str) -> int:
    """Parses a whole number of at most nine digits, not negative."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def day(text: str) -> date:
    """Parses a calendar date, YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-11-21") from None
