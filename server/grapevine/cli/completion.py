"""``grapevine completion``: prints what makes a shell complete commands and options."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from grapevine.cli.arguments import Commands
from grapevine.cli.context import CommandContext

SHELLS: Final = ("bash", "zsh", "fish", "tcsh")


def register(commands: Commands) -> None:
    """Adds the command ``completion`` to the parser."""
    parser = commands.add(
        "completion",
        completion,
        "print a script that makes your shell complete commands with the Tab key",
        more="It goes into the file that your shell reads at its start: for bash, add the first example to ~/.bashrc.",
        examples=(
            'eval "$(grapevine completion bash)"',
            "grapevine completion zsh > ~/.zfunc/_grapevine",
            "grapevine completion fish > ~/.config/fish/completions/grapevine.fish",
        ),
        prints_json=False,
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=f"one of {', '.join(SHELLS)}")
    parser.set_defaults(root=commands.owner)


async def completion(context: CommandContext, arguments: Namespace) -> int:
    """Prints the script. Returns the exit status."""
    import shtab

    for action in _actions(arguments.root):
        if action.type is Path:
            action.complete = shtab.FILE
    context.say(shtab.complete(arguments.root, arguments.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[Any]:
    for action in parser._actions:  # noqa: SLF001
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in action.choices.values():
                yield from _actions(below)
