"""Joins modules: those of the script each once, after those it imports, in one scope; and the parts that it loads.

A part is an ES module of its own whose default export is called with what it takes from the script (and from the part
it comes after), as one array: `export default ($given) => { const {3: tab, 7: post} = $given; … return start }`.
`start` is the one thing its entry exports.
"""

import json
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import NamedTuple

from minify import MinifyError

from widget.build.modules import BuildError, Module, parse, plain_javascript, shorten, tokens

SHARED = "grapevine:shared"
"""The module of `SHARED`, an array of what parts take from the script and from the parts before them. It is known
once they are linked, and there once the whole script has run."""


LITERAL = re.compile(r"^const (?P<name>[A-Z_]+) = (?P<value>[\d.e]+|'[^'\\\n]*'|\"[^\"\\\n]*\");?$\n?", re.MULTILINE)
"""A constant that can stand anywhere an expression can."""


class Linked(NamedTuple):
    modules: list[Module]
    """Every module after those it imports; what is already there when a part is loaded is left out."""
    takes: frozenset[str]
    """Names that these modules import from what is already there."""


class Part(NamedTuple):
    entry: str
    after: tuple[str, ...] = ()
    """Parts that are loaded before it, whose names it may import."""


def link(
    entry: str,
    sources: Mapping[str, str],
    virtual: Mapping[str, Mapping[str, object]],
    given: Iterable[Module] = (),
) -> Linked:
    """The modules that entry needs beyond those that are given.

    sources maps paths below widget/src to their text, virtual maps names such as `grapevine:icons` to constants.
    Raises BuildError for whatever cannot be joined safely into one scope.
    """
    there = {module.name: module for module in given}
    order: dict[str, Module] = {}
    takes: set[str] = set()
    owners = {name: module.name for module in there.values() for name in module.exports - {"start"}}

    def visit(name: str, path: tuple[str, ...], wanted: str) -> Module:
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            raise BuildError(f"{wanted}: circular import {circle}; move what both need into a third module")
        if name in order or name in there:
            return order.get(name) or there[name]
        if name != SHARED and name not in sources and name not in virtual:
            raise BuildError(
                f"{wanted}: there is no module {name}; the modules are {', '.join(sorted([*sources, *virtual]))}"
            )
        if name == SHARED:
            module = Module(name, "", {}, {"SHARED": 1}, frozenset(["SHARED"]))
        else:
            module = constants(name, virtual[name]) if name in virtual else parse(name, sources[name])
        for spec, (line, names) in module.imports.items():
            where = f"{name}:{line}"
            if not spec.startswith(("./", "../", "grapevine:")):
                raise BuildError(f"{where}: `{spec}` is neither a path nor a grapevine: module; write './{spec}.js'")
            source = posixpath.normpath(posixpath.join(posixpath.dirname(name), spec))
            target = visit(spec if spec.startswith("grapevine:") else source, (*path, name), where)
            for missing in [n for n in names if n not in target.exports]:
                raise BuildError(
                    f"{where}: {target.name} does not export `{missing}`; it exports {sorted(target.exports)}"
                )
            if target.name in there:
                for changing in [n for n in names if n in target.changing]:
                    raise BuildError(f"{where}: a part cannot follow `{changing}`, which changes; export a function")
                takes.update(names)
        for declared, line in module.declares.items():
            other = owners.setdefault(declared, name)
            if other != name:
                raise BuildError(f"{name}:{line}: `{declared}` is a top-level name of {other} too; rename one of them")
        order[name] = module
        return module

    visit(entry, (), "build.py")
    return Linked(list(order.values()), frozenset(takes))


def link_parts(
    script: Linked,
    parts: Mapping[str, Part],
    sources: Mapping[str, str],
    virtual: Mapping[str, Mapping[str, object]],
) -> dict[str, Linked]:
    """The modules of each part, without those of the script and of the parts it comes after."""
    linked: dict[str, Linked] = {}
    for name, part in parts.items():
        given = chain(script.modules, *(linked[before].modules for before in part.after))
        linked[name] = link(part.entry, sources, virtual, given)
    return linked


def places(script: Linked, parts: Iterable[Linked]) -> dict[str, int]:
    """Name → its place in what parts are given, for every name that some part takes; the script's own come first."""
    own = exported(script.modules)
    taken = frozenset[str]().union(*(part.takes for part in parts))
    return {name: place for place, name in enumerate(sorted(taken, key=lambda name: (name not in own, name)))}


def exported(modules: Iterable[Module]) -> set[str]:
    return {name for module in modules for name in module.exports}


def constants(name: str, values: Mapping[str, object]) -> Module:
    code = "".join(f"const {key} = {json.dumps(value, ensure_ascii=False)};\n" for key, value in values.items())
    return Module(name, code, {}, dict.fromkeys(values, 1), frozenset(values))


def in_one_scope(modules: Iterable[Module], given_away: Collection[str]) -> str:
    """The code of all modules; a number or text that has a name only to be understood stands where it is used."""
    code = "\n".join(module.code for module in modules)
    for found in list(LITERAL.finditer(code)):
        name, value = found["name"], found["value"]
        uses = [token for token in tokens("linked", code) if token.text == name and token.kind == "name"]
        if len(uses) == 2 and code.count(name) == 2 and name not in given_away:
            code = code.replace(found[0], "").replace(name, value)
    return code


def joined(modules: Iterable[Module], place: Mapping[str, int] | None = None) -> str:
    """One script in one scope of its own, minified, with the array of what it gives its parts.

    What it cannot do without (`URL` in a broken browser, say) must not become the page's error either.
    """
    modules = list(modules)
    place = place or {}
    body = in_one_scope(modules, place)
    if any(module.name == SHARED for module in modules):
        body += f"\nconst SHARED = [{', '.join(sorted(exported(modules) & set(place), key=place.__getitem__))}];"
    return minified(f"(()=>{{try{{{body}}}catch{{}}}})();")


def joined_part(part: Linked, place: Mapping[str, int]) -> str:
    """One part as an ES module, minified. Its own names go to the parts after it through the array it is given."""
    body = in_one_scope(part.modules, place)
    taken = ", ".join(f"{place[name]}: {name}" for name in sorted(part.takes, key=place.__getitem__))
    given = sorted(exported(part.modules) & set(place), key=place.__getitem__)
    pass_on = "".join(f"$given[{place[name]}] = {name};\n" for name in given)
    if part.modules[-1].exports != {"start"}:
        raise BuildError(f"{part.modules[-1].name}: the entry of a part exports `start` and nothing else")
    return minified(f"export default ($given) => {{\nconst {{{taken}}} = $given;\n{body}\n{pass_on}return start\n}};")


def minified(script: str) -> str:
    if not plain_javascript(script):
        raise BuildError("widget/src: the linked script is not valid JavaScript; is there an `await` at the top level?")
    try:
        return shorten(script)
    except MinifyError as error:
        reason = str(error).splitlines()[0]
        raise BuildError(f"widget/src: the linked script is refused: {reason}; is there JSX in a .js file?") from error
