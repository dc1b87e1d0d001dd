"""Parses one module of widget/src: the names that it imports, exports and declares.

A tokenizer, not a parser of JavaScript: it understands the few forms that our modules use, and refuses every other one
with file, line and remedy: `import {a, b} from './x.js'`, and `export` in front of const, let, class, function
and async function.
"""

import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import minify

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # esbuild_py imports distutils, which setuptools stands in for from Python 3.12
    import setuptools  # noqa: F401

    try:
        from esbuild_py import transform
    except ImportError:  # it has no wheel for Linux on ARM; the minifier's parser checks the syntax there
        transform = None


class BuildError(Exception):
    """The build refuses something in the sources; the message says where, what, and what to do."""


class Token(NamedTuple):
    """One token of JavaScript."""

    kind: str
    text: str
    start: int
    depth: int
    """Number of open brackets around it; a bracket does not count itself."""
    starts_statement: bool
    """Whether a statement may begin with this token."""


class Module(NamedTuple):
    """One module, ready to be concatenated with others."""

    name: str
    code: str
    """The source without its imports and without the keyword `export`."""
    imports: dict[str, tuple[int, list[str]]]
    """Module name as written → line, imported names."""
    declarations: dict[str, int]
    """Top-level name → line."""
    exports: frozenset[str]
    mutable: frozenset[str] = frozenset()
    """Exported names that are declared with `let`: their value may change."""


TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<comment>//[^\n]* | /\*.*?\*/) | (?P<string>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
      | (?P<name>(?:[^\W\d]|[$#])[\w$]*) | (?P<number>\.?\d[\w.]*) | (?P<punctuator>\+\+|--|=>|\?\.|\.\.\.|.)""",
    re.DOTALL | re.VERBOSE,
)
REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*", re.DOTALL)
BEFORE_REGEX = frozenset("return typeof case do else in of instanceof new void delete throw yield await".split())
CLOSES = {")": ("(",), "]": ("[",), "}": ("{", "${")}
BROWSER_GLOBALS = frozenset(
    "addEventListener alert atob blur btoa close closed confirm crypto customElements dispatchEvent document event "
    "fetch find focus frames history length localStorage location matchMedia name navigator open opener origin parent "
    "performance print prompt queueMicrotask removeEventListener screen scroll self sessionStorage status stop "
    "structuredClone top window "
    "Document Element Event History Image Location Map Node Option Promise Range Request Response Selection Set "
    "Storage Symbol Text URL".split()
)


def tokenize(name: str, code: str) -> Iterator[Token]:
    """Yields the tokens of a module. A string, template or regular expression is one token; comments are skipped."""
    brackets: list[tuple[str, bool]] = []  # open brackets; True for the condition of `if (…)`
    previous, before, newline, condition, at = Token("", ";", 0, 0, True), "", False, False, 0
    while found := TOKEN.match(code, at):
        kind, text, end = str(found.lastgroup), found[0], found.end()
        if kind in ("space", "comment"):
            newline, at = newline or "\n" in text, end
            continue
        value = ends_value(previous, before) and not condition
        starts_statement = previous.text in (";", "}") or (newline and value)
        if text == "/" and previous.text == "}":
            what = "`/` after `}` may divide or begin a regular expression"
            raise error_at(name, code, at, what, "put the part before it in parentheses")
        if text == "/" and not value and (regex := REGEX.match(code, at)):
            kind, end = "regex", regex.end()
        opened, condition = brackets.pop() if text in CLOSES and brackets else ("", False)
        if text in CLOSES and opened not in CLOSES[text]:
            raise error_at(name, code, at, f"`{text}` closes nothing", "correct the brackets")
        if text == "`" or opened == "${":
            kind, end = "template", TEMPLATE.match(code, at + 1).end()  # type: ignore[union-attr]  # matches '' too
            end += 2 if code.startswith("${", end) else 1
        token = Token(kind, code[at:end], at, len(brackets), starts_statement)
        yield token
        if token.text in ("(", "[", "{"):
            brackets.append((text, text == "(" and previous.text in ("if", "while", "for", "with") and before != "."))
        elif kind == "template" and token.text.endswith("${"):
            brackets.append(("${", False))
        previous, before, newline, at = token, previous.text, False, end


def ends_value(token: Token, before: str) -> bool:
    """Returns whether a token ends a value: then `/` divides, and a line break may end the statement."""
    if token.kind == "name":
        return token.text not in BEFORE_REGEX or before == "."
    if token.kind == "punctuator":
        return token.text in (")", "]", "}", "++", "--")
    return token.kind != "" and not (token.kind == "template" and token.text.endswith("${"))


def error_at(name: str, code: str, at: int, what: str, remedy: str) -> BuildError:
    """Returns an error that names the file and the line of an offset."""
    return BuildError(f"{name}:{code.count(chr(10), 0, at) + 1}: {what}; {remedy}")


def parse_module(name: str, code: str) -> Module:
    """Returns a module's imports, exports and top-level names, and its code without imports and `export`."""
    code = check_syntax(name, code)
    stream = list(tokenize(name, code))
    imports: dict[str, tuple[int, list[str]]] = {}
    declarations: dict[str, int] = {}
    exports: set[str] = set()
    mutable: set[str] = set()
    cuts: list[tuple[int, int]] = []
    for i, token in enumerate(stream):
        if token.kind != "name" or (i and stream[i - 1].text in (".", "?.")):
            continue
        after = [t.text for t in stream[i + 1 : i + 4]] + ["", "", ""]
        if token.text == "import" and after[0] == ".":
            raise error_at(
                name, code, token.start, "import.meta has no meaning in a linked script", "use document.currentScript"
            )
        if token.depth or (token.text == "import" and after[0] == "("):
            continue
        if token.text == "import":
            source, names, end = import_statement(name, code, stream, i)
            line = code.count("\n", 0, token.start) + 1
            imports[source] = (line, imports.get(source, (line, []))[1] + names)
            cuts.append((token.start, end))
        elif token.text == "export":
            if after[0] not in ("const", "let", "class", "function") and after[:2] != ["async", "function"]:
                what = f"`export {after[0]}` is not understood"
                raise error_at(
                    name, code, token.start, what, "write export const, let, class, function or async function"
                )
            cuts.append((token.start, stream[i + 1].start))
        elif token.text in ("const", "let", "var", "class", "function"):
            first = i - 1 if i and stream[i - 1].text == "async" else i
            exported = bool(first) and stream[first - 1].text == "export"
            if not exported and not stream[first].starts_statement:
                continue
            declared = declared_name(name, code, stream, i)
            declarations[declared] = code.count("\n", 0, token.start) + 1
            exports.update([declared] if exported else [])
            mutable.update([declared] if exported and token.text == "let" else [])
    for start, end in reversed(cuts):
        code = code[:start] + code[end:]
    return Module(name, code.strip() + "\n", imports, declarations, frozenset(exports), frozenset(mutable))


def check_syntax(name: str, code: str) -> str:
    """Returns the module as plain JavaScript: JSX is compiled. Raises BuildError for a syntax error."""
    jsx = name.endswith(".jsx")
    if jsx and "/** @jsx h */" not in code:
        raise BuildError(f"{name}:1: JSX without its factory; begin the file with /** @jsx h */ and import h")
    if jsx and transform is None:
        raise BuildError(f"{name}:1: JSX needs esbuild-py, which this machine lacks; write calls of h()")
    if plain := to_plain_javascript(code):
        return plain if jsx else code
    try:
        minify_script(code)
    except minify.MinifyError as error:
        reason = str(error).splitlines()[0]
        line = re.search(r"on line (\d+)", reason)
        raise BuildError(f"{name}:{line[1] if line else 1}: syntax error: {reason}; correct it") from error
    raise BuildError(f"{name}:1: syntax error, or a module without code; correct it or remove the file")


def to_plain_javascript(code: str) -> str:
    """Returns the code as esbuild prints it, with JSX compiled; an empty string for a syntax error."""
    if transform is not None:
        return str(transform(code))
    try:
        return minify_script(code)
    except minify.MinifyError:
        return ""


def import_statement(name: str, code: str, stream: list[Token], i: int) -> tuple[str, list[str], int]:
    """Returns source, imported names and end of the import statement that begins at token i."""
    form = "write import {a, b} from './x.js'"
    names, j = [], i + 2
    if stream[i + 1].text != "{":
        raise error_at(name, code, stream[i].start, "only named imports are understood", form)
    while stream[j].kind == "name" and stream[j + 1].text in (",", "}"):
        names.append(stream[j].text)
        j += 1 if stream[j + 1].text == "}" else 2
    j += stream[j].kind == "name"
    if stream[j].text != "}" or stream[j + 1].text != "from" or stream[j + 2].kind != "string":
        raise error_at(name, code, stream[i].start, f"`{stream[j].text}` in this import is not understood", form)
    if j + 3 < len(stream) and not stream[j + 3].starts_statement and stream[j + 3].text != ";":
        raise error_at(name, code, stream[i].start, f"`{stream[j + 3].text}` after this import is not understood", form)
    last = stream[j + 3] if stream[j + 3 : j + 4] and stream[j + 3].text == ";" else stream[j + 2]
    return stream[j + 2].text[1:-1], names, last.start + len(last.text)


def declared_name(name: str, code: str, stream: list[Token], i: int) -> str:
    """Returns the one name that the top-level declaration at token i declares."""
    keyword, at = stream[i].text, i + 2 if stream[i + 1].text == "*" else i + 1
    if stream[at].kind != "name":
        what = f"`{keyword} {stream[at].text}` at the top level takes values apart"
        raise error_at(name, code, stream[i].start, what, "declare each name by itself")
    if stream[at].text in BROWSER_GLOBALS:
        what = f"the top-level name `{stream[at].text}` would hide the browser's own from every module"
        raise error_at(name, code, stream[i].start, what, "take another name")
    for token in stream[at + 1 :] if keyword in ("const", "let", "var") else []:
        if token.depth == 0 and (token.text == ";" or (token.starts_statement and token.text not in CLOSES)):
            break
        if token.depth == 0 and token.text == ",":
            what = f"a second name in one top-level {keyword}"
            raise error_at(
                name, code, token.start, what, "declare each name by itself and end the line with a semicolon"
            )
    return stream[at].text


def minify_script(code: str) -> str:
    """Returns the code minified. Raises minify.MinifyError for a syntax error."""
    # The binding allocates as many bytes for its output as the input has, but a few programs grow: pad the input.
    return str(minify.string("application/javascript", code + "\n" * (len(code) // 2 + 64)))
