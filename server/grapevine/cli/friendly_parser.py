"""An argparse parser for people: its refusals say what may have been meant, and its help ends with examples."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn

from grapevine.domain.did_you_mean import closest, did_you_mean

COMMAND: Final = "COMMAND"
_EXAMPLES: Final = "Examples:\n"


def examples_text(examples: Iterable[str]) -> str:
    """Returns the end of a help text: whole command lines, one a line, which stay as they are."""
    return _EXAMPLES + "\n".join(f"  {example}" for example in examples)


class HelpFormatter(argparse.HelpFormatter):
    """Wraps paragraphs, and leaves examples as they are, so that they can be copied at any width."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        return "\n\n".join(
            paragraph if paragraph.startswith(_EXAMPLES) else fill(paragraph, width, indent)
            for paragraph in text.split("\n\n")
        )


class FriendlyParser(argparse.ArgumentParser):
    """Refuses a command, an option or a choice that does not exist with the one that may have been meant."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"formatter_class": HelpFormatter, **kwargs})
        self.suggest_on_error = False  # Python 3.14 suggests, too, and of an option never
        self._typed: list[str] = []

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses all arguments. What no parser knows is refused by the parser of the command."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            parser: argparse.ArgumentParser = getattr(parsed, "parser", self)
            values = [each for each in unknown if not each.startswith("-")]
            quotes = "; a name with spaces needs quotes around it" if len(values) == len(unknown) else ""
            parser.error(f"unrecognized arguments: {' '.join(unknown)}{quotes}")
        return parsed

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses the arguments that it knows."""
        self._typed = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Ends the process with status 2, after the usage and one line on standard error.

        Where the command is missing, its whole help comes first: it lists the commands.
        """
        if message.endswith(f"required: {COMMAND}"):
            self.print_help(sys.stderr)
            self.exit(2, f"\n{self.prog}: which command? One of those above is needed\n")
        super().error(message + "".join(self._meant_options()))

    def _meant_options(self) -> Iterator[str]:
        known = [option for option in self._option_string_actions if option.startswith("--")]
        for typed in self._typed:
            name = typed.partition("=")[0]
            if typed.startswith("--") and not any(option.startswith(name) for option in known):
                found = closest(name[2:], (option[2:] for option in known))
                if found is not None:
                    yield f"; did you mean --{found} instead of {name}?"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            paths: dict[str, str] = {}
            for name, path in _paths(action):
                paths.setdefault(name, path)
            found = closest(str(value), paths)
            meant = "; the" if found is None else f"; did you mean `{self.prog} {paths[found]}`? The"
            raise argparse.ArgumentError(
                None, f"{value!r} is no command{meant} commands are {', '.join(action.choices)}"
            )
        names = [str(choice) for choice in action.choices]
        meant = did_you_mean(str(value), names)
        raise argparse.ArgumentError(action, f"invalid choice: {value!r} (choose from {', '.join(names)}){meant}")


def _paths(action: Any) -> Iterator[tuple[str, str]]:
    """Yields how each command is called, by its name; then the commands of groups as well."""
    for name in action.choices:
        yield name, name
    for name, parser in action.choices.items():
        for group in parser._actions:  # noqa: SLF001
            if isinstance(group, argparse._SubParsersAction):  # noqa: SLF001
                for below in group.choices:
                    yield below, f"{name} {below}"
