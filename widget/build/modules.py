"""Reads one module of widget/src: which names it imports, exports and declares.

No parser of JavaScript, but a reader of tokens that knows the few forms our modules are written in, and refuses every
other with file, line and a way out: `import {a, b} from './x.js'`, and `export` in front of const, let, class, function
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
    """Something in the sources that the build refuses; the message says where, what, and what to do."""


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    depth: int
    """Brackets that are open around it; an opening or closing bracket itself counts as outside."""
    begins: bool
    """Whether a statement can begin here."""


class Module(NamedTuple):
    name: str
    code: str
    """The text without imports and without the word `export`."""
    imports: dict[str, tuple[int, list[str]]]
    """Module name as written → line, imported names."""
    declares: dict[str, int]
    """Top-level name → line."""
    exports: frozenset[str]
    changing: frozenset[str] = frozenset()
    """Exported names that may be given another value later: declared with let."""


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


def tokens(name: str, code: str) -> Iterator[Token]:
    """The code tokens of a module: words inside strings, templates, regular expressions and comments stay apart."""
    brackets: list[tuple[str, bool]] = []  # what is open, and whether it is the condition of `if (…)`
    previous, before, newline, condition, at = Token("", ";", 0, 0, True), "", False, False, 0
    while found := TOKEN.match(code, at):
        kind, text, end = str(found.lastgroup), found[0], found.end()
        if kind in ("space", "comment"):
            newline, at = newline or "\n" in text, end
            continue
        value = ends_value(previous, before) and not condition
        begins = previous.text in (";", "}") or (newline and value)
        if text == "/" and previous.text == "}":
            what = "`/` after `}` may divide or begin a regular expression"
            raise refusal(name, code, at, what, "put the part before it in parentheses")
        if text == "/" and not value and (regex := REGEX.match(code, at)):
            kind, end = "regex", regex.end()
        opened, condition = brackets.pop() if text in CLOSES and brackets else ("", False)
        if text in CLOSES and opened not in CLOSES[text]:
            raise refusal(name, code, at, f"`{text}` closes nothing", "correct the brackets")
        if text == "`" or opened == "${":
            kind, end = "template", TEMPLATE.match(code, at + 1).end()  # type: ignore[union-attr]  # matches '' too
            end += 2 if code.startswith("${", end) else 1
        token = Token(kind, code[at:end], at, len(brackets), begins)
        yield token
        if token.text in ("(", "[", "{"):
            brackets.append((text, text == "(" and previous.text in ("if", "while", "for", "with") and before != "."))
        elif kind == "template" and token.text.endswith("${"):
            brackets.append(("${", False))
        previous, before, newline, at = token, previous.text, False, end


def ends_value(token: Token, before: str) -> bool:
    """Whether an operator follows: then `/` divides, and a line break may end the statement."""
    if token.kind == "name":
        return token.text not in BEFORE_REGEX or before == "."
    if token.kind == "punctuator":
        return token.text in (")", "]", "}", "++", "--")
    return token.kind != "" and not (token.kind == "template" and token.text.endswith("${"))


def refusal(name: str, code: str, at: int, what: str, remedy: str) -> BuildError:
    return BuildError(f"{name}:{code.count(chr(10), 0, at) + 1}: {what}; {remedy}")


def parse(name: str, code: str) -> Module:
    """Finds a module's imports, exports and top-level names, and cuts the imports and the word `export` out."""
    code = checked(name, code)
    stream = list(tokens(name, code))
    imports: dict[str, tuple[int, list[str]]] = {}
    declares: dict[str, int] = {}
    exports: set[str] = set()
    changing: set[str] = set()
    cuts: list[tuple[int, int]] = []
    for i, token in enumerate(stream):
        if token.kind != "name" or (i and stream[i - 1].text in (".", "?.")):
            continue
        after = [t.text for t in stream[i + 1 : i + 4]] + ["", "", ""]
        if token.text == "import" and after[0] == ".":
            raise refusal(
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
                raise refusal(
                    name, code, token.start, what, "write export const, let, class, function or async function"
                )
            cuts.append((token.start, stream[i + 1].start))
        elif token.text in ("const", "let", "var", "class", "function"):
            first = i - 1 if i and stream[i - 1].text == "async" else i
            exported = bool(first) and stream[first - 1].text == "export"
            if not exported and not stream[first].begins:
                continue
            declared = declared_name(name, code, stream, i)
            declares[declared] = code.count("\n", 0, token.start) + 1
            exports.update([declared] if exported else [])
            changing.update([declared] if exported and token.text == "let" else [])
    for start, end in reversed(cuts):
        code = code[:start] + code[end:]
    return Module(name, code.strip() + "\n", imports, declares, frozenset(exports), frozenset(changing))


def checked(name: str, code: str) -> str:
    """The module in plain JavaScript, JSX compiled; a syntax error is refused here."""
    jsx = name.endswith(".jsx")
    if jsx and "/** @jsx h */" not in code:
        raise BuildError(f"{name}:1: JSX without its factory; begin the file with /** @jsx h */ and import h")
    if jsx and transform is None:
        raise BuildError(f"{name}:1: JSX needs esbuild-py, which this machine lacks; write calls of h()")
    if plain := plain_javascript(code):
        return plain if jsx else code
    try:
        shorten(code)
    except minify.MinifyError as error:
        reason = str(error).splitlines()[0]
        line = re.search(r"on line (\d+)", reason)
        raise BuildError(f"{name}:{line[1] if line else 1}: syntax error: {reason}; correct it") from error
    raise BuildError(f"{name}:1: syntax error, or a module without code; correct it or remove the file")


def plain_javascript(code: str) -> str:
    """The code as esbuild prints it, JSX compiled; empty for a syntax error."""
    if transform is not None:
        return str(transform(code))
    try:
        return shorten(code)
    except minify.MinifyError:
        return ""


def import_statement(name: str, code: str, stream: list[Token], i: int) -> tuple[str, list[str], int]:
    """Source, imported names and end of `import {a, b} from './x.js'`, whose first word is token i."""
    form = "write import {a, b} from './x.js'"
    names, j = [], i + 2
    if stream[i + 1].text != "{":
        raise refusal(name, code, stream[i].start, "only named imports are understood", form)
    while stream[j].kind == "name" and stream[j + 1].text in (",", "}"):
        names.append(stream[j].text)
        j += 1 if stream[j + 1].text == "}" else 2
    j += stream[j].kind == "name"
    if stream[j].text != "}" or stream[j + 1].text != "from" or stream[j + 2].kind != "string":
        raise refusal(name, code, stream[i].start, f"`{stream[j].text}` in this import is not understood", form)
    if j + 3 < len(stream) and not stream[j + 3].begins and stream[j + 3].text != ";":
        raise refusal(name, code, stream[i].start, f"`{stream[j + 3].text}` after this import is not understood", form)
    last = stream[j + 3] if stream[j + 3 : j + 4] and stream[j + 3].text == ";" else stream[j + 2]
    return stream[j + 2].text[1:-1], names, last.start + len(last.text)


def declared_name(name: str, code: str, stream: list[Token], i: int) -> str:
    """The one name that the declaration beginning at token i puts at the top level of its module."""
    keyword, at = stream[i].text, i + 2 if stream[i + 1].text == "*" else i + 1
    if stream[at].kind != "name":
        what = f"`{keyword} {stream[at].text}` at the top level takes values apart"
        raise refusal(name, code, stream[i].start, what, "declare each name by itself")
    if stream[at].text in BROWSER_GLOBALS:
        what = f"the top-level name `{stream[at].text}` would hide the browser's own from every module"
        raise refusal(name, code, stream[i].start, what, "take another name")
    for token in stream[at + 1 :] if keyword in ("const", "let", "var") else []:
        if token.depth == 0 and (token.text == ";" or (token.begins and token.text not in CLOSES)):
            break
        if token.depth == 0 and token.text == ",":
            what = f"a second name in one top-level {keyword}"
            raise refusal(
                name, code, token.start, what, "declare each name by itself and end the line with a semicolon"
            )
    return stream[at].text


def shorten(code: str) -> str:
    # The binding gives its output as much room as the input has, and a few programs grow.
    return str(minify.string("application/javascript", code + "\n" * (len(code) // 2 + 64)))
