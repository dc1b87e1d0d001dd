"""Pages whose own scripts replace, break or forbid what scripts build on."""

from __future__ import annotations

from typing import Final

from tests.engines.hostile import BAR, BODY, LATE, NO_BAR, NO_COPY, NO_VIEW, NOTHING, Odd

KEY: Final = "grapevine:sitekey"
TOKEN: Final = "0123456789abcdefghijkLM"
COUNTED: Final = """
for (const name of ['pushState', 'replaceState']) {
  const before = history[name];
  history[name] = function (...all) { probe.count(name); return before.apply(this, all); };
}
"""

HISTORY: Final = [
    Odd("history-wrapped", COUNTED),
    Odd(
        "history-throws",
        "history.pushState = history.replaceState = () => { throw Error('not here') };",
        does=NO_VIEW,
    ),
    Odd("history-frozen", "Object.freeze(history); Object.freeze(History.prototype);"),
    Odd(
        "history-written-all-the-time",
        # The reader goes on when it is over: how far it had got by then would be in what the page sees.
        "let turns = 0; probe.hold = new Promise((done) => { const turn = setInterval(() => {"
        " history.replaceState({turns}, '', '?turn=' + ++turns % 2);"
        " if (turns > 40) { clearInterval(turn); done() } }, 5) });",
    ),
]

NETWORK: Final = [
    Odd(
        "fetch-wrapped",
        "const before = fetch; window.fetch = (...all) => { if (String(all[0])[0] == '/') probe.count('fetches');"
        " return before(...all) };",
    ),
    Odd("fetch-throws", "window.fetch = () => { throw Error('blocked') };", does=BAR),
    Odd("fetch-rejects", "window.fetch = () => Promise.reject(Error('blocked'));", does=BAR),
    Odd("fetch-answers-rubbish", "window.fetch = () => Promise.resolve({});", does=BAR),
    Odd("fetch-answers-nothing", "window.fetch = () => {};", does=BAR),
    Odd("fetch-never-answers", "window.fetch = () => new Promise(() => {}); probe.patience = 100;", does=BAR),
    Odd("fetch-deleted", "delete window.fetch; window.fetch = undefined;", does=BAR),
    Odd("beacon-missing", "navigator.sendBeacon = undefined;"),
    Odd("beacon-throws", "navigator.sendBeacon = () => { throw Error('blocked') };"),
    Odd("offline", "Object.defineProperty(navigator, 'onLine', {get: () => false});"),
]

LANGUAGE: Final = [
    Odd(
        "promise-then-wrapped",
        "const {then} = Promise.prototype; Promise.prototype.then = function (...all) {"
        " return then.apply(this, all.map((run) => run && ((...values) => run(...values)))) };",
    ),
    Odd("array-with-enumerable-extras", "Array.prototype.last = function () { return this[this.length - 1] };"),
    Odd(
        "array-methods-polyfilled-badly",
        """Array.prototype.map = function (run, self) {
          const all = []; for (let i = 0; i < this.length; i++) all[i] = run.call(self, this[i]); return all };
        Array.prototype.filter = function (run, self) {
          const all = []; for (const one of this) if (run.call(self, one)) all.push(one); return all };
        Array.prototype.forEach = function (run, self) {
          for (let i = 0; i < this.length; i++) run.call(self, this[i]) };
        Array.prototype.includes = function (one) { return this.indexOf(one) >= 0 };
        delete Array.prototype.flatMap; delete Array.prototype.at;""",
    ),
    Odd(
        "mootools",
        """Function.prototype.extend = function (all) { for (const name in all) this[name] = all[name]; return this };
        Function.prototype.overloadSetter = function () { return this };
        Array.from = (one) => (one == null ? [] : [one]);
        Number.from = (one) => Number(one);
        String.from = (one) => one + '';
        Array.prototype.flatten = Array.prototype.clone = function () { return this.slice() };
        Object.each = (all, run) => { for (const name in all) run(all[name], name) };
        document.id = (name) => document.getElementById(name);
        String.prototype.contains = function (part) { return this.indexOf(part) > -1 };""",
    ),
    Odd(
        "prototype-js",
        """Object.toJSON = (value) => String(value);
        Array.prototype.toJSON = function () { return '[' + this.join() + ']' };
        Array.prototype.reduce = function () { return this.length > 1 ? this : this[0] };
        Array.prototype.each = function (run) { for (const one of this) run(one) };
        String.prototype.toJSON = function () { return '"' + this + '"' };
        Function.prototype.bind = function (self) {
          const run = this; return function () { return run.apply(self, arguments) } };
        document.getElementsByClassName = () => [];""",
    ),
    Odd("object-with-an-enumerable-extra", "Object.prototype.extend = function () { return this };"),
    Odd(
        "json-replaced",
        "const {stringify, parse} = JSON; window.JSON = {stringify: (value) => stringify(value),"
        " parse: (...all) => parse(...all)};",
    ),
    Odd(
        "frozen-built-ins",
        """
        const names = 'Object Function Array String RegExp Date Promise Map Set Error URL JSON Math';
        for (const name of names.split(' ')) {
          Object.freeze(window[name]);
          if (window[name].prototype) Object.freeze(window[name].prototype);
        }""",
    ),
    Odd(
        "date-frozen",
        "const Then = Date; window.Date = class extends Then { constructor (...all) {"
        " super(...(all.length ? all : [1e12])) } static now () { return 1e12 } };",
    ),
    Odd("date-long-ago", "const now = Date.now; Date.now = () => now() - 8e11;"),
    Odd("random-is-constant", "Math.random = () => .5;"),
    Odd("url-missing", "window.URL = undefined;", does=NOTHING),
    Odd("url-polyfilled-badly", "window.URL = function (url) { this.href = url };", does=NOTHING),
    Odd("console-missing", "window.console = undefined; sessionStorage.x = 1;"),
    Odd("crypto-missing", "Object.defineProperty(window, 'crypto', {value: undefined});", does=BAR),
    Odd("crypto-without-subtle", "Object.defineProperty(crypto, 'subtle', {value: undefined});"),
]

DOM: Final = [
    Odd("custom-elements-missing", "Object.defineProperty(window, 'customElements', {value: undefined});", does=NO_BAR),
    Odd(
        "element-names-taken",
        "customElements.define('grapevine-buttons', class extends HTMLElement {"
        " connectedCallback () { probe.count('theirs') } });",
        body=BODY + "<grapevine-buttons></grapevine-buttons>",
        does=NO_BAR,
    ),
    Odd(
        "attach-shadow-wrapped",
        "const {attachShadow} = Element.prototype; Element.prototype.attachShadow = function (...all) {"
        " return attachShadow.apply(this, all) };",
    ),
    Odd("attach-shadow-missing", "Element.prototype.attachShadow = undefined;", does=NO_BAR),
    Odd(
        "add-event-listener-wrapped",
        """const {addEventListener} = EventTarget.prototype;
        EventTarget.prototype.addEventListener = function (name, run, ...more) {
          const heard = (event) => (run.handleEvent ? run.handleEvent(event) : run.call(this, event));
          return addEventListener.call(this, name, run && heard, ...more);
        };""",
    ),
    Odd(
        "document-listeners-throw",
        "document.addEventListener = () => { throw Error('no listeners') };",
        does=frozenset({"visit", "bar"}),
    ),
    Odd(
        "custom-event-polyfilled",
        """window.CustomEvent = function (name, {detail} = {}) {
        const event = document.createEvent('CustomEvent'); event.initCustomEvent(name, false, false, detail);
        return event };""",
    ),
    Odd(
        "create-element-wrapped",
        """const {createElement} = document;
        document.createElement = function (name, ...more) {
          return createElement.call(document, name.toUpperCase(), ...more) };""",
    ),
    Odd(
        "element-methods-polyfilled",
        """
        Element.prototype.append = function (one) {
          this.appendChild(one.nodeType ? one : document.createTextNode(one)) };
        Element.prototype.remove = function () { this.parentNode && this.parentNode.removeChild(this) };
        Element.prototype.closest = function (css) {
          let one = this; while (one && !one.matches(css)) one = one.parentElement; return one };""",
    ),
    Odd("style-sheets-cannot-be-constructed", "window.CSSStyleSheet = undefined;", does=NO_BAR),
    Odd(
        "selection-hidden-from-scripts",
        "addEventListener('copy', () => { window.getSelection = () => null }, true);",
        does=NO_COPY,
    ),
    Odd("xpath-missing", "document.evaluate = undefined;"),
    Odd("navigation-missing", "Object.defineProperty(window, 'navigation', {value: undefined});"),
    Odd("clipboard-missing", "Object.defineProperty(navigator, 'clipboard', {value: undefined});", button=True),
    Odd("broadcast-channel-missing", "window.BroadcastChannel = undefined;"),
    Odd("broadcast-channel-throws", "window.BroadcastChannel = function () { throw Error('no channel') };"),
]

STORAGE: Final = [
    Odd(
        f"{kind}-storage-{how}",
        script.replace("NAME", f"{kind}Storage"),
        attributes={"storage": kind},
        query="#gv=" + TOKEN,
    )
    for kind in ("session", "local")
    for how, script in {
        "missing": "Object.defineProperty(window, 'NAME', {value: undefined});",
        "null": "Object.defineProperty(window, 'NAME', {value: null});",
        "holds-rubbish": f"NAME['{KEY}'] = 'no JSON';",
        "holds-something-else": f"NAME['{KEY}'] = '5';",
        "throws": "Object.defineProperty(window, 'NAME', {get () {"
        " throw new DOMException('denied', 'SecurityError') }});",
        "full": "for (let part = 'x'.repeat(1 << 20); part; ) try { NAME['page' + NAME.length] = part } catch {"
        " part = part.slice(part.length / 2 + .5) }",
    }.items()
]

GLOBAL: Final = [
    Odd("grapevine-is-a-text", "var grapevine = 'a page';"),
    Odd("grapevine-is-a-number", "var grapevine = 7;"),
    Odd("grapevine-is-an-element", body='<p id="grapevine">Wine</p>' + BODY),
    Odd("grapevine-is-frozen", "window.grapevine = Object.freeze({q: Object.freeze([])});"),
    Odd("grapevine-cannot-be-written", "Object.defineProperty(window, 'grapevine', {value: 'a page'});"),
    Odd("grapevine-is-somebody-elses", "window.grapevine = {q: 'not a list', harvest () { return 3 }};"),
    Odd(
        "grapevine-is-a-foreign-frame",
        body='<iframe name="grapevine" src="{other}empty"></iframe>' + BODY,
        snippet=LATE,
        does=NOTHING,
    ),
    Odd("window-has-a-name", "window.name = 'grapevine'; window.status = '{}';"),
    Odd("two-copies-of-the-script", snippet="{tag}{tag}"),
    Odd("two-copies-one-deferred", snippet='{tag}<script defer src="{src}" data-site="sitekey"></script>'),
    Odd("two-copies-for-two-sites", snippet='{tag}<script async src="{src}?2" data-site="sitekey2"></script>'),
    Odd("script-as-a-module", snippet='<script type="module" src="{src}" data-site="sitekey"></script>'),
    Odd("options-in-the-address", snippet='<script data-probe async src="{src}?site=sitekey&amp;ver=6.8"></script>'),
    Odd(
        "script-as-a-module-behind-anothers",
        snippet='<script data-probe type="module" data-site="another" data-endpoint="{other}">1</script>'
        '<script data-probe type="module" src="{src}?site=sitekey"></script>',
    ),
]

UNDRIVEN: Final = [
    Odd(
        "promise-polyfilled",
        """window.Promise = function (run) {
          const waiting = []; let value, done = false;
          this.then = (next) => new window.Promise((settle) => { const go = () => settle(next ? next(value) : value);
            done ? setTimeout(go) : waiting.push(go) });
          this.catch = () => this;
          run((result) => { value = result; done = true; waiting.forEach((go) => setTimeout(go)) }, () => {});
        };
        window.Promise.resolve = (value) => new window.Promise((done) => {
          value && value.then ? value.then(done) : done(value) });
        window.Promise.race = (all) => new window.Promise((done) => {
          all.forEach((one) => window.Promise.resolve(one).then(done)) });
        window.Promise.all = (all) => new window.Promise((done) => { const values = []; let left = all.length;
          const take = (i) => (value) => { values[i] = value; --left || done(values) };
          all.forEach((one, i) => window.Promise.resolve(one).then(take(i))) });""",
    ),
    Odd("json-missing", "window.JSON = undefined;", does=BAR),
    Odd("console-silenced-and-json-missing", "window.console = {log() {}}; window.JSON = undefined;", does=BAR),
]
"""WebKit's driver needs the page's own `JSON` and `Promise`."""

SCRIPTS: Final = [*HISTORY, *NETWORK, *LANGUAGE, *DOM, *STORAGE, *GLOBAL]
