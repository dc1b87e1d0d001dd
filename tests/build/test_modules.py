"""How the linker parses one module, and each syntax that it refuses."""

import pytest

from widget.build import modules
from widget.build.modules import BuildError, parse_module, tokenize


def test_imports_and_the_word_export_are_cut_and_nothing_else() -> None:
    module = parse_module(
        "share.js",
        "import {tag} from './url.js';\n"
        "import {\n  COPY, // the default\n  NATIVE,\n} from './channels.js'\n"
        "export const LIMIT = 3\n"
        "export let count = 0;\n"
        "export class Share { static import = 1; export() { return this.import } }\n"
        "export async function share(channel) { count++; return tag(channel, COPY, NATIVE) }\n"
        "export function* all() { yield LIMIT }\n"
        "const local = {export: 1, import: 2}\n",
    )
    assert module.imports == {"./url.js": (1, ["tag"]), "./channels.js": (2, ["COPY", "NATIVE"])}
    assert module.exports == {"LIMIT", "count", "Share", "share", "all"}
    assert module.declarations == {"LIMIT": 6, "count": 7, "Share": 8, "share": 9, "all": 10, "local": 11}
    assert module.code == (
        "const LIMIT = 3\n"
        "let count = 0;\n"
        "class Share { static import = 1; export() { return this.import } }\n"
        "async function share(channel) { count++; return tag(channel, COPY, NATIVE) }\n"
        "function* all() { yield LIMIT }\n"
        "const local = {export: 1, import: 2}\n"
    )


@pytest.mark.parametrize(
    "code",
    [
        "const text = `\nimport {a} from './a.js'\nexport const b = 1\n`;\n",
        "const text = `${[1].map(n => `\nexport const b = ${n / 2}${{a: 1}.a}\n`)}\nimport './c.js'`;\n",
        "const text = 'export const b = 1' + \"import './a.js'\";\n",
        "/*\nimport {a} from './a.js'\nexport const b = 1\n*/\n// export default 1\nconst text = 1;\n",
        "const text = /['\"`]/.test('x') ? 4 / 2 / 1 : /[/`]/;\n",
        "const text = (() => { if (1) /`/.exec(''); return /'/ })();\n",
        "const text = [1][0] / 2 + (1) / 2; const quote = '`';\n",
        "var text = 3\ntext++ / 2; const quote = '`/';\n",
        "const text = url => import(url);\n",
    ],
)
def test_words_that_are_no_code_stay(code: str) -> None:
    module = parse_module("text.js", code)
    assert (module.code.strip(), module.imports, module.exports) == (code.strip(), {}, frozenset())
    assert "text" in module.declarations


def test_nested_declarations_are_not_top_level() -> None:
    module = parse_module(
        "nested.js",
        "const outer = function inner() { const deep = 1; function deeper() {} }\n"
        "for (const each of []) { let within = each }\n"
        "const last = a =>\n  a\n",
    )
    assert set(module.declarations) == {"outer", "last"}


def test_tokens_know_where_a_statement_can_begin() -> None:
    stream = list(tokenize("x.js", "const a = 1\nconst b =\n  class {}\nfoo()"))
    assert [t.text for t in stream if t.kind == "name" and t.starts_statement] == ["const", "const", "foo"]


def test_jsx_is_compiled_with_the_factory_it_names() -> None:
    code = "/** @jsx h */\nimport {h} from './h.js'\nexport const bar = () => <b class='x'>it's</b>\n"
    module = parse_module("bar.jsx", code)
    assert module.imports == {"./h.js": (1, ["h"])}
    assert 'h("b", { class: "x" }, "it\'s")' in module.code


REFUSED = {
    "const a = ;": "x.js:1: syntax error: unexpected ; in expression on line 1",
    "const a = 1;\nconst b = (;\n": "x.js:2: syntax error",
    "": "x.js:1: syntax error, or a module without code; correct it or remove the file",
    "// only words": "x.js:1: syntax error, or a module without code; correct it or remove the file",
    "import a from './a.js'": "x.js:1: only named imports are understood; write import {a, b} from './x.js'",
    "import * as a from './a.js'": "x.js:1: only named imports are understood",
    "import './a.js'": "x.js:1: only named imports are understood",
    "\nimport {a as b} from './a.js'": "x.js:2: `as` in this import is not understood",
    "import {'a' as b} from './a.js'": "x.js:1: `'a'` in this import is not understood",
    "import {default as b} from './a.js'": "x.js:1: `as` in this import is not understood",
    "import a, {b} from './a.js'": "x.js:1: only named imports are understood",
    "import {a} from './a.json' with {type: 'json'}": "x.js:1: `with` after this import is not understood",
    "const here = () => import.meta.url": "x.js:1: import.meta has no meaning in a linked script",
    "export default 1": "x.js:1: `export default` is not understood; write export const, let, class, function or async",
    "export default async function f() {}": "x.js:1: `export default` is not understood",
    "const a = 1;\nexport {a}": "x.js:2: `export {` is not understood",
    "const a = 1\nexport {a as b}": "x.js:2: `export {` is not understood",
    "export * from './a.js'": "x.js:1: `export *` is not understood",
    "export {a} from './a.js'": "x.js:1: `export {` is not understood",
    "export var a = 1": "x.js:1: `export var` is not understood",
    "const {a} = window": "x.js:1: `const {` at the top level takes values apart; declare each name by itself",
    "export const [a] = [1]": "x.js:1: `const [` at the top level takes values apart",
    "let a = 1,\n  b = 2": "x.js:1: a second name in one top-level let; declare each name by itself",
    "const f = (a, b) => a, g = 1": "x.js:1: a second name in one top-level const",
    "export function open() {}": "x.js:1: the top-level name `open` would hide the browser's own from every module",
    "const a = {};\nfunction f() {} /re/.test('')": "x.js:2: `/` after `}` may divide or begin a regular expression",
}


@pytest.mark.parametrize(("code", "message"), REFUSED.items(), ids=REFUSED)
def test_refused(code: str, message: str) -> None:
    with pytest.raises(BuildError) as caught:
        parse_module("x.js", code)
    assert str(caught.value).startswith(message)


def test_jsx_without_a_factory_is_refused() -> None:
    with pytest.raises(BuildError, match=r"^bar\.jsx:1: JSX without its factory; begin the file with /\*\* @jsx h \*/"):
        parse_module("bar.jsx", "export const bar = () => <b/>")


def test_without_esbuild_the_minifier_finds_syntax_errors_and_jsx_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "transform", None)
    assert parse_module("x.js", "export const a = 1").code == "const a = 1\n"
    with pytest.raises(BuildError, match=r"^x\.js:2: syntax error"):
        parse_module("x.js", "const a = 1;\nconst b = (;\n")
    with pytest.raises(BuildError, match=r"^x\.js:1: syntax error, or a module without code"):
        parse_module("x.js", "")
    with pytest.raises(BuildError, match=r"^bar\.jsx:1: JSX needs esbuild-py"):
        parse_module("bar.jsx", "/** @jsx h */\nexport const bar = () => <b/>")
