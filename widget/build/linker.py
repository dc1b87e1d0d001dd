"""Joins modules into one script: each once, after those it imports, in one scope."""

import json
import posixpath
from collections.abc import Mapping

from minify import MinifyError

from widget.build.modules import BuildError, Module, parse, plain_javascript, shorten


def link(entry: str, sources: Mapping[str, str], virtual: Mapping[str, Mapping[str, object]]) -> list[tuple[str, str]]:
    """The modules that entry needs, as (name, code), every module after those it imports.

    sources maps paths below widget/src to their text, virtual maps names such as `grapevine:icons` to constants.
    Raises BuildError for whatever cannot be joined safely into one scope.
    """
    order: dict[str, Module] = {}
    owners: dict[str, str] = {}

    def visit(name: str, path: tuple[str, ...], wanted: str) -> Module:
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            raise BuildError(f"{wanted}: circular import {circle}; move what both need into a third module")
        if name in order:
            return order[name]
        if name not in sources and name not in virtual:
            raise BuildError(
                f"{wanted}: there is no module {name}; the modules are {', '.join(sorted([*sources, *virtual]))}"
            )
        module = constants(name, virtual[name]) if name in virtual else parse(name, sources[name])
        for spec, (line, names) in module.imports.items():
            where = f"{name}:{line}"
            if not spec.startswith(("./", "../", "grapevine:")):
                raise BuildError(f"{where}: `{spec}` is neither a path nor a grapevine: module; write './{spec}.js'")
            source = spec if spec in virtual else posixpath.normpath(posixpath.join(posixpath.dirname(name), spec))
            target = visit(spec if spec.startswith("grapevine:") else source, (*path, name), where)
            for missing in [n for n in names if n not in target.exports]:
                raise BuildError(
                    f"{where}: {target.name} does not export `{missing}`; it exports {sorted(target.exports)}"
                )
        for declared, line in module.declares.items():
            other = owners.setdefault(declared, name)
            if other != name:
                raise BuildError(f"{name}:{line}: `{declared}` is a top-level name of {other} too; rename one of them")
        order[name] = module
        return module

    visit(entry, (), "build.py")
    return [(module.name, module.code) for module in order.values()]


def constants(name: str, values: Mapping[str, object]) -> Module:
    code = "".join(f"const {key} = {json.dumps(value, ensure_ascii=False)};\n" for key, value in values.items())
    return Module(name, code, {}, dict.fromkeys(values, 1), frozenset(values))


def joined(modules: list[tuple[str, str]]) -> str:
    """One script in one scope of its own, minified."""
    body = "\n".join(code for _, code in modules)
    script = f'(()=>{{"use strict";\n{body}}})();'
    if not plain_javascript(script):
        raise BuildError("widget/src: the linked script is not valid JavaScript; is there an `await` at the top level?")
    try:
        return shorten(script)
    except MinifyError as error:
        reason = str(error).splitlines()[0]
        raise BuildError(f"widget/src: the linked script is refused: {reason}; is there JSX in a .js file?") from error
