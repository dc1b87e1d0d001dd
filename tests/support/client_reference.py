"""The reference of the Python client in docs/client.md, made from signatures, docstrings and structs;
`python -m tests.support.client_reference` writes it.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from grapevine import client
from grapevine.client import errors, groups
from grapevine.client.call import Group, Operated

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/client.md"
BEGIN: Final = "<!-- reference: written by python -m tests.support.client_reference -->\n"
RESULTS: Final = (
    "Results are structs of msgspec. Their fields are those of the JSON in [the API](api.md), by the same names{but}. "
    "`msgspec.to_builtins(result)` makes a dict of one. For "
    "annotations they are imported from the modules that define them:"
)
END: Final = "<!-- /reference -->\n"

_LONGEST: Final = 110
_RESULT: Final = re.compile(r"(Call|PagedList|Stream|Feed)\[(.*)\]")


def rendered() -> str:
    """Returns the reference."""
    parts = ["## Reference", "", "### Clients", "", *_clients()]
    for name, group in all_groups().items():
        title = f"`client.{name}`" if name else "Calls of the client itself"
        parts += [f"### {title}", "", *([_text(group.__doc__)] if name else []), ""]
        for word, method in methods_of(group):
            parts += _method(f"{name}.{word}" if name else word, method)
    parts += [
        "### Exceptions",
        "",
        *_exceptions(),
        "",
        "### Results",
        "",
        RESULTS.format(but=_renamed()),
        "",
        *_structs(),
        "",
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def in_page() -> str:
    """Returns what stands in the page."""
    return PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]


def all_groups() -> dict[str, type[Group[Any]]]:
    """Returns the groups of calls by the name that they have in a client; those of the client itself have none."""
    made = groups.Calls[Any](typing.cast("Any", None))
    found: dict[str, type[Group[Any]]] = {"": groups.Calls}
    return found | {name: type(group) for name, group in vars(made).items() if isinstance(group, Group)}


def methods_of(group: type[Group[Any]]) -> Iterator[tuple[str, Operated]]:
    """Yields the methods of a group with their names."""
    return ((name, method) for name, method in vars(group).items() if isinstance(method, Operated))


def _clients() -> Iterator[str]:
    signature = inspect.signature(client.Client.__init__)
    hidden = ("self", "environ", "clock", "sleep", "random")
    yield "```text"
    yield _folded("Client", [*_parameters(signature, hidden)], "")
    yield "```"
    yield ""
    yield _text(client.Client.__doc__)
    yield ""
    yield "`retries` is a `Retries`:"
    yield ""
    yield "```text"
    yield str(client.Retries())
    yield "```"
    yield ""
    yield _text(client.Retries.__doc__)
    yield ""


def _method(name: str, method: Operated) -> Iterator[str]:
    signature = inspect.signature(method.describe)
    yield f"#### `{name}`"
    yield ""
    yield "```text"
    yield _folded(f"client.{name}", [*_parameters(signature, ("self",))], f" -> {_result(signature)}")
    yield "```"
    yield ""
    yield f"`{method.name}`. {_text(method.__doc__)}"
    yield ""


def _folded(name: str, parameters: list[str], end: str) -> str:
    """Returns a signature in one line, or with a parameter a line where that would be too long."""
    line = f"{name}({', '.join(parameters)}){end}"
    if len(line) <= _LONGEST:
        return line
    return "\n".join([f"{name}(", *(f"    {each}," for each in parameters), f"){end}"])


def _parameters(signature: inspect.Signature, hidden: tuple[str, ...]) -> Iterator[str]:
    is_keyword = False
    for name, parameter in signature.parameters.items():
        if name in hidden:
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not is_keyword:
            is_keyword = True
            yield "*"
        yield _parameter(parameter)


def _parameter(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"**{parameter.name}"
    default = parameter.default
    shown = "Retries()" if isinstance(default, client.Retries) else repr(default)
    return f"{parameter.name}: {parameter.annotation}" + ("" if default is parameter.empty else f" = {shown}")


def _result(signature: inspect.Signature) -> str:
    found = _RESULT.fullmatch(signature.return_annotation)
    assert found, signature
    inner = {"Endpoints": "list[Endpoint]", "Deliveries": "list[Delivery]"}.get(found[2], found[2])
    return inner if found[1] == "Call" else f"Iterator[{inner.rpartition(', ')[2]}]"


def _exceptions() -> Iterator[str]:
    yield "```"
    tree = inspect.getdoc(errors) or ""
    yield inspect.cleandoc(tree.partition("\n\n")[2])
    yield "```"
    yield ""
    yield "| class | status | code | meaning |"
    yield "|---|---|---|---|"
    known = (*errors.BY_STATUS.values(), *errors.BY_CODE.values(), errors.ApiError)
    for kind in dict.fromkeys(known):
        statuses = [str(status) for status, each in errors.BY_STATUS.items() if each is kind]
        codes = [f"`{code}`" for code, each in errors.BY_CODE.items() if each is kind]
        meaning = _text(kind.__doc__).partition("\n\n")[0].replace("\n", " ")
        yield f"| `{kind.__name__}` | {', '.join(statuses)} | {', '.join(codes)} | {meaning} |"


def _structs() -> Iterator[str]:
    yield "| module | structs |"
    yield "|---|---|"
    by_module: dict[str, list[str]] = {}
    for struct in _found():
        by_module.setdefault(struct.__module__, []).append(f"`{struct.__name__}`")
    for module, names in sorted(by_module.items()):
        yield f"| `{module}` | {', '.join(sorted(names))} |"


def _renamed() -> str:
    """Returns which fields have another name than in JSON, as the end of a sentence."""
    found: dict[tuple[str, str], list[str]] = {}
    for struct in _found():
        for field in msgspec.structs.fields(struct):
            if field.name != field.encode_name:
                found.setdefault((field.encode_name, field.name), []).append(f"`{struct.__name__}`")
    each = [f"`{there}` of {' and '.join(names)} is called `{here}`" for (there, here), names in found.items()]
    return "".join(f"; only {text}" for text in each)


def _found() -> list[type[msgspec.Struct]]:
    """The structs that calls return, and those in their fields."""
    found: dict[type[msgspec.Struct], None] = {}
    for group in all_groups().values():
        for _, method in methods_of(group):
            *_, result = typing.get_args(typing.get_type_hints(method.describe)["return"])
            _walk(result, found)
    return [*found]


def _walk(kind: Any, found: dict[type[msgspec.Struct], None]) -> None:
    if isinstance(kind, type) and not typing.get_args(kind) and issubclass(kind, msgspec.Struct) and kind not in found:
        found[kind] = None
        for inner in typing.get_type_hints(kind).values():
            _walk(inner, found)
    for inner in typing.get_args(kind):
        _walk(inner, found)


def _text(docstring: str | None) -> str:
    return inspect.cleandoc(docstring or "").replace("``", "`")


if __name__ == "__main__":
    text = PAGE.read_text("utf-8")
    PAGE.write_text(text.replace(BEGIN + in_page() + END, BEGIN + rendered() + END), "utf-8")
