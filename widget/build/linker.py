"""Bundles the modules of the script into one scope, each after those it imports; and those of every part it loads.

A part is an ES module whose default export takes one array, `SHARED`: the names that it imports from the script and
from the parts loaded before it. Indexes of an array cost fewer bytes than names:
`export default ($shared) => { const {3: tab, 7: post} = $shared; … return start }`. The entry of a part exports `start`
and nothing else.
"""

import json
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import NamedTuple

from minify import MinifyError

from widget.build.modules import BuildError, Module, minify_script, parse_module, to_plain_javascript, tokenize

SHARED = "grapevine:shared"
"""The virtual module that exports `SHARED`, the array for the parts. Its content is known only when the parts are
linked, and its values exist only when the whole script has run."""


LITERAL = re.compile(r"^const (?P<name>[A-Z_]+) = (?P<value>[\d.e]+|'[^'\\\n]*'|\"[^\"\\\n]*\");?$\n?", re.MULTILINE)
"""A top-level constant whose value is a number or a string: it can replace its name anywhere."""


class Linked(NamedTuple):
    """The modules of the script or of one part, in the order of a bundle."""

    modules: list[Module]
    """Every module after those it imports, without the modules that are loaded before."""
    externals: frozenset[str]
    """Names that these modules import from modules loaded before."""


class Part(NamedTuple):
    """A file that the script loads when it needs it."""

    entry: str
    after: tuple[str, ...] = ()
    """Parts that are always loaded before it, and whose names it may import."""


def link(
    entry: str,
    sources: Mapping[str, str],
    virtual: Mapping[str, Mapping[str, object]],
    loaded: Iterable[Module] = (),
) -> Linked:
    """Returns the modules that `entry` imports, directly or not, except those that are loaded before.

    `sources` maps paths below widget/src to their text; `virtual` maps names such as `grapevine:channels` to constants.
    Raises BuildError for whatever cannot share one scope safely.
    """
    available = {module.name: module for module in loaded}
    order: dict[str, Module] = {}
    externals: set[str] = set()
    owners = {name: module.name for module in available.values() for name in module.exports - {"start"}}

    def visit(name: str, path: tuple[str, ...], wanted: str) -> Module:
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            raise BuildError(f"{wanted}: circular import {circle}; move what both need into a third module")
        if name in order or name in available:
            return order.get(name) or available[name]
        if name != SHARED and name not in sources and name not in virtual:
            raise BuildError(
                f"{wanted}: there is no module {name}; the modules are {', '.join(sorted([*sources, *virtual]))}"
            )
        if name == SHARED:
            module = Module(name, "", {}, {"SHARED": 1}, frozenset(["SHARED"]))
        else:
            module = constants_module(name, virtual[name]) if name in virtual else parse_module(name, sources[name])
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
            if target.name in available:
                for changing in [n for n in names if n in target.mutable]:
                    raise BuildError(f"{where}: a part cannot follow `{changing}`, which changes; export a function")
                externals.update(names)
        for declared, line in module.declarations.items():
            other = owners.setdefault(declared, name)
            if other != name:
                raise BuildError(f"{name}:{line}: `{declared}` is a top-level name of {other} too; rename one of them")
        order[name] = module
        return module

    visit(entry, (), "build.py")
    return Linked(list(order.values()), frozenset(externals))


def link_parts(
    script: Linked,
    parts: Mapping[str, Part],
    sources: Mapping[str, str],
    virtual: Mapping[str, Mapping[str, object]],
) -> dict[str, Linked]:
    """Returns the modules of each part, without those of the script and of the parts loaded before it."""
    linked: dict[str, Linked] = {}
    for name, part in parts.items():
        loaded = chain(script.modules, *(linked[before].modules for before in part.after))
        linked[name] = link(part.entry, sources, virtual, loaded)
    return linked


def shared_indexes(script: Linked, parts: Iterable[Linked]) -> dict[str, int]:
    """Returns the index in `SHARED` of every name that some part imports; the script's own names come first."""
    own = exported_names(script.modules)
    imported = frozenset[str]().union(*(part.externals for part in parts))
    return {name: index for index, name in enumerate(sorted(imported, key=lambda name: (name not in own, name)))}


def exported_names(modules: Iterable[Module]) -> set[str]:
    """Returns the names that these modules export."""
    return {name for module in modules for name in module.exports}


def constants_module(name: str, values: Mapping[str, object]) -> Module:
    """Returns a module that exports these values, written as JSON."""
    code = "".join(f"const {key} = {json.dumps(value, ensure_ascii=False)};\n" for key, value in values.items())
    return Module(name, code, {}, dict.fromkeys(values, 1), frozenset(values))


def concatenate(modules: Iterable[Module], shared: Collection[str]) -> str:
    """Returns the code of all modules in one scope. Inlines numbers and strings that are used once and not shared."""
    code = "\n".join(module.code for module in modules)
    for found in list(LITERAL.finditer(code)):
        name, value = found["name"], found["value"]
        uses = [token for token in tokenize("linked", code) if token.text == name and token.kind == "name"]
        if len(uses) == 2 and code.count(name) == 2 and name not in shared:
            code = code.replace(found[0], "").replace(name, value)
    return code


def bundle_script(modules: Iterable[Module], indexes: Mapping[str, int] | None = None) -> str:
    """Returns the script, minified, in a scope of its own, with the array for its parts.

    The whole script is inside one `try`: it must not throw into the page, neither without options nor in a browser that
    lacks something it needs (`URL`, say). The console says what was thrown.
    """
    modules = list(modules)
    indexes = indexes or {}
    body = concatenate(modules, indexes)
    if any(module.name == SHARED for module in modules):
        shared = sorted(exported_names(modules) & set(indexes), key=indexes.__getitem__)
        body += f"\nconst SHARED = [{', '.join(shared)}];"
    return minify_checked(f"(()=>{{try{{{body}}}catch(error){{console.warn?.('grapevine',error)}}}})();")


def bundle_part(part: Linked, indexes: Mapping[str, int]) -> str:
    """Returns one part as an ES module, minified. It adds its shared names to the array for later parts."""
    if part.modules[-1].exports != {"start"}:
        raise BuildError(f"{part.modules[-1].name}: the entry of a part exports `start` and nothing else")
    body = concatenate(part.modules, indexes)
    imports = ", ".join(f"{indexes[name]}: {name}" for name in sorted(part.externals, key=indexes.__getitem__))
    exports = "".join(
        f"$shared[{indexes[name]}] = {name};\n"
        for name in sorted(exported_names(part.modules) & set(indexes), key=indexes.__getitem__)
    )
    return minify_checked(
        f"export default ($shared) => {{\nconst {{{imports}}} = $shared;\n{body}\n{exports}return start\n}};"
    )


def minify_checked(script: str) -> str:
    """Returns the script minified. Raises BuildError if it is not valid JavaScript."""
    if not to_plain_javascript(script):
        raise BuildError("widget/src: the linked script is not valid JavaScript; is there an `await` at the top level?")
    try:
        return minify_script(script)
    except MinifyError as error:
        reason = str(error).splitlines()[0]
        raise BuildError(f"widget/src: the linked script is refused: {reason}; is there JSX in a .js file?") from error
