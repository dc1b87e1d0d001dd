"""Three pages behind each router that is tested: /a leads to /b, that to /c, and that to /a."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from tests.support.npm_packages import read
from tests.support.page_server import Site

REACT: Final = {
    "react": ("pkg:npm/react@19.3.1", "cjs/react.production.js"),
    "scheduler": ("pkg:npm/scheduler@0.28.0", "cjs/scheduler.production.js"),
    "react-dom": ("pkg:npm/react-dom@19.3.1", "cjs/react-dom.production.js"),
    "react-dom/client": ("pkg:npm/react-dom@19.3.1", "cjs/react-dom-client.production.js"),
}
"""Modules of CommonJS in the order in which they need each other."""
REACT_ROUTER: Final = "pkg:npm/react-router@7.18.7"
NEXT: Final = {"a": "b", "b": "c", "c": "a"}
REST: Final = '<a id="part" href="#section">A part</a><p style="height: 3000px"></p><h2 id="section">A part</h2>'
FETCH: Final = "const load = async page => (await fetch('/data-' + page)).text();"
"""What a page of a client-side app waits for."""

Router = Callable[[Site], None]


def _documents(site: Site, *scripts: str, link: str = "") -> None:
    """Pages that also work without the router, which runs these scripts; `link` are attributes of its links."""
    files = "".join(
        f'<script src="{site.file(f"/script-{number}.js", text, "text/javascript")}"></script>'
        for number, text in enumerate(scripts)
    )
    files += '<meta name="turbo-refresh-method" content="morph">'
    for page, following in NEXT.items():
        body = f'<h1>{page}</h1><a id="next" href="/{following}" {link}>Next</a>{REST}'
        site.page(f"/{page}", f'<main id="main">{body}</main>', title=f"Title of {page}", head=files)


def turbo(site: Site) -> None:
    _documents(site, read("pkg:npm/%40hotwired/turbo@8.0.23", "dist/turbo.es2017-umd.js"))


def turbo_with_the_widget_in_the_head(site: Site) -> None:
    site.first += site.snippet
    site.snippet = ""
    turbo(site)


def htmx_2(site: Site) -> None:
    _documents(site, read("pkg:npm/htmx.org@2.0.11", "dist/htmx.min.js"), link='hx-boost="true"')


def htmx_4(site: Site) -> None:
    _documents(site, read("pkg:npm/htmx.org@4.0.1", "dist/htmx.min.js"), link='hx-boost="true"')


def swup(site: Site) -> None:
    start = """addEventListener('DOMContentLoaded', () => {
      new Swup({containers: ['#main'], animationSelector: false});
    })"""
    _documents(site, read("pkg:npm/swup@4.10.0", "dist/Swup.umd.js"), start)


def pjax(site: Site) -> None:
    start = """addEventListener('DOMContentLoaded', () => {
      new Pjax({elements: '#next', selectors: ['title', '#main'], cacheBust: false});
    })"""
    _documents(site, read("pkg:npm/pjax@0.2.8", "pjax.min.js"), start)


def pjax_of_the_whole_body(site: Site) -> None:
    start = """addEventListener('DOMContentLoaded', () => {
      new Pjax({elements: '#next', selectors: ['title', 'body'], cacheBust: false});
    })"""
    _documents(site, read("pkg:npm/pjax@0.2.8", "pjax.min.js"), start)


def vue_router(site: Site) -> None:
    start = f"""addEventListener('DOMContentLoaded', () => {{
      {FETCH}
      const {{createApp, h}} = Vue;
      const {{createRouter, createWebHistory, RouterLink, RouterView, useRoute}} = VueRouter;
      const next = {json.dumps(NEXT)};
      const Page = {{setup() {{
        const route = useRoute();
        return () => [
          h('h1', route.params.page),
          h(RouterLink, {{id: 'next', to: '/' + next[route.params.page]}}, () => 'Next'),
          h('div', {{innerHTML: {json.dumps(REST)}}}),
        ];
      }}}};
      const router = createRouter({{history: createWebHistory(), routes: [{{path: '/:page', component: Page}}]}});
      router.beforeEach(async (to, from) => {{ if (to.path != from.path) await load(to.params.page) }});
      router.afterEach(to => {{ document.title = 'Title of ' + to.params.page }});
      createApp({{render: () => h(RouterView)}}).use(router).mount('#app');
    }})"""
    _app(
        site,
        read("pkg:npm/vue@3.5.45", "dist/vue.runtime.global.prod.js"),
        read("pkg:npm/vue-router@5.5.1", "dist/vue-router.global.prod.js"),
        start,
    )


def react_router(site: Site) -> None:
    addresses = {
        name: site.file(f"/modules/{name}.js", _as_module(read(*where)), "text/javascript")
        for name, where in REACT.items()
    }
    index = read(REACT_ROUTER, "dist/production/index.mjs")
    for chunk in set(re.findall(r'"\./(chunk-\w+\.mjs)"', index)):
        site.file(f"/modules/{chunk}", read(REACT_ROUTER, f"dist/production/{chunk}"), "text/javascript")
    addresses["react-router"] = site.file("/modules/index.mjs", index, "text/javascript")
    # Only the router's code for servers calls these.
    addresses["cookie"] = site.file("/modules/cookie.js", "export let parse, serialize", "text/javascript")
    addresses["set-cookie-parser"] = site.file("/modules/parser.js", "export let splitCookiesString", "text/javascript")
    start = f"""
      import {{createElement as h}} from 'react';
      import {{createRoot}} from 'react-dom/client';
      import {{createBrowserRouter, Link, RouterProvider, useParams}} from 'react-router';
      {FETCH}
      const next = {json.dumps(NEXT)};
      const Page = () => {{
        const {{page}} = useParams();
        return [
          h('title', {{key: 1}}, 'Title of ' + page),
          h('h1', {{key: 2}}, page),
          h(Link, {{key: 3, id: 'next', to: '/' + next[page]}}, 'Next'),
          h('div', {{key: 4, dangerouslySetInnerHTML: {{__html: {json.dumps(REST)}}}}}),
        ];
      }};
      const router = createBrowserRouter([
        {{path: '/:page', Component: Page, HydrateFallback: () => null, loader: ({{params}}) => load(params.page)}},
      ]);
      createRoot(document.querySelector('#app')).render(h(RouterProvider, {{router}}));
    """
    _app(site, head=f'<script type="importmap">{json.dumps({"imports": addresses})}</script>', module=start)


def _app(site: Site, *scripts: str, head: str = "", module: str = "") -> None:
    """One document for all pages, which these scripts draw, each when its data are there."""
    for number, text in enumerate(scripts):
        head += f'<script src="{site.file(f"/script-{number}.js", text, "text/javascript")}"></script>'
    if module:
        head += f'<script type="module">{module}</script>'
    for page in NEXT:
        site.file(f"/data-{page}", page, "text/plain")
        site.page(f"/{page}", '<div id="app"></div>', title=f"Title of {page}", head=head)


def _as_module(code: str) -> str:
    """Wraps a CommonJS file, so that a browser loads it without a bundler."""
    required = sorted(set(re.findall(r'\brequire\("([^"]+)"\)', code)))
    imports = "".join(f'import * as required{number} from "{name}";\n' for number, name in enumerate(required))
    known = ", ".join(f'"{name}": required{number}' for number, name in enumerate(required))
    names = ", ".join(sorted(set(re.findall(r"^exports\.(\w+) =", code, re.MULTILINE))))
    return f"""{imports}const exports = {{}};
((exports, require) => {{\n{code}\n}})(exports, name => ({{{known}}})[name]);
export default exports;
export const {{{names}}} = exports;
"""


ROUTERS: Final[tuple[Router, ...]] = (
    turbo,
    htmx_4,
    pjax,
    vue_router,
    react_router,
)
MORE: Final[tuple[Router, ...]] = (turbo_with_the_widget_in_the_head, htmx_2, swup, pjax_of_the_whole_body)
"""The same once more, in another way or by another script of the kind."""
