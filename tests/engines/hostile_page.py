"""Odd documents: their kind, their policies, the frames they stand in, and what they do with their own elements."""

from __future__ import annotations

from typing import Final

from tests.engines.hostile import BAR, BODY, HTML, LATE, NO_BAR, NO_COPY, NOTHING, OWN, PROBE, VISIT, Odd
from tests.engines.server import RecorderServer

JS: Final = "text/javascript"
TEXT: Final = "text/html; charset=utf-8"
FRAMED: Final = frozenset({"visit", "view"})
"""What is seen of the widget in a frame."""

KINDS: Final = [
    Odd(
        "xhtml",
        document='<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>A title</title>{probe}'
        "<script>{own}</script>{widget}</head><body>{body}</body></html>",
        snippet='<script async="async" src="{src}" data-site="sitekey"></script>',
        headers={"Content-Type": "application/xhtml+xml"},
        body=BODY.replace('id="copy"', ""),
        does=NO_COPY,
    ),
    Odd(
        "svg",
        document='<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>A title</title>'
        '<script href="/probe.js" data-probe=""/><circle r="4"/>{widget}</svg>',
        snippet='<script xmlns="http://www.w3.org/1999/xhtml" async="" src="{src}" data-site="sitekey"></script>',
        headers={"Content-Type": "image/svg+xml"},
        does=FRAMED,
    ),
    Odd(
        "svg-with-a-script-of-its-own-kind",
        document='<svg xmlns="http://www.w3.org/2000/svg"><script href="/probe.js" data-probe=""/>{widget}</svg>',
        snippet='<script href="{src}" data-site="sitekey"/>',
        headers={"Content-Type": "image/svg+xml"},
        does=NOTHING,
    ),
    Odd(
        "frameset",
        document="<html><head><title>A title</title>{probe}<script>{own}history.pushState = () => {};</script>{widget}"
        '</head><frameset cols="*,*"><frame><frame></frameset></html>',
        does=frozenset({"visit", "bar"}),
    ),
    Odd("quirks-mode", document=HTML.removeprefix("<!doctype html>")),
    Odd("no-body", "addEventListener('DOMContentLoaded', () => document.body.remove());", does=NO_COPY),
    Odd("twenty-thousand-nodes", body=BODY + "<p>" + "<i>x</i> " * 20_000 + "</p>"),
    Odd("base-on-another-origin", head='<base href="{other}deep/"/>', does=frozenset({"visit", "bar"})),
    Odd("base-on-another-path", head='<base href="/deep/er/"/>'),
]

FRAME: Final = "<!doctype html><title>Around</title>{probe}<div id='frame'>FRAME</div><script>probe.frame()</script>"
TEMPLATE: Final = f"<template id='inner'>{HTML}</template>"
FRAMES: Final = [
    Odd(
        "in-a-frame",
        document=FRAME.replace("FRAME", '<iframe src="/frame"></iframe>'),
        files={"/frame": (HTML, TEXT)},
        does=FRAMED,
    ),
    Odd(
        "in-a-sandboxed-frame",
        document=FRAME.replace("FRAME", '<iframe sandbox="allow-scripts allow-forms" src="/frame"></iframe>'),
        files={"/frame": (HTML, TEXT)},
        does=VISIT,
        may=frozenset({"view"}),
    ),
    Odd(
        "in-a-srcdoc-frame",
        document=FRAME.replace("FRAME", TEMPLATE)
        + "<script>{ const one = document.createElement('iframe'); one.srcdoc = inner.innerHTML;"
        " document.body.append(one) }</script>",
        does=VISIT,
    ),
    Odd(
        "in-a-written-frame",
        document=FRAME.replace("FRAME", TEMPLATE)
        + "<script>{ const one = document.body.appendChild(document.createElement('iframe'));"
        " one.contentDocument.write(inner.innerHTML); one.contentDocument.close() }</script>",
        script="history.pushState = () => {};",
        does=VISIT,
    ),
]


def _with_corp(recorder: RecorderServer) -> None:
    """The server sends this header with the widget's files."""
    found = recorder.file

    def file(name: str) -> object:
        reply = found(name)
        return reply and reply._replace(headers={**reply.headers, "Cross-Origin-Resource-Policy": "cross-origin"})

    recorder.file = file  # type: ignore[method-assign, assignment]


STRICT: Final = "default-src 'none'; script-src 'self' {origin}; connect-src 'self' {origin}; base-uri 'none'"
PLAIN: Final = HTML.replace("<script>{own}</script><script>{ {script} }</script>", '<script src="/own.js"></script>')
NONCE: Final = PLAIN.replace("{probe}", PROBE).replace("<script ", '<script nonce="abc" ')
OWN_FILE: Final = {"/own.js": (OWN, JS)}
SANDBOX: Final = "sandbox allow-scripts allow-forms"
POLICIES: Final = [
    Odd("strict-policy", document=PLAIN, files=OWN_FILE, headers={"Content-Security-Policy": STRICT}),
    Odd(
        "trusted-types",
        document=PLAIN,
        files=OWN_FILE,
        headers={"Content-Security-Policy": STRICT + "; require-trusted-types-for 'script'; trusted-types 'none'"},
        button=True,
    ),
    Odd(
        "policy-with-a-nonce",
        document=NONCE,
        files=OWN_FILE,
        snippet='<script nonce="abc" async src="{src}" data-site="sitekey"></script>',
        headers={
            "Content-Security-Policy": "default-src 'none'; connect-src 'self' {origin}; "
            "script-src 'nonce-abc' 'strict-dynamic'"
        },
    ),
    Odd(
        "policy-that-forbids-the-reports",
        document=PLAIN,
        files=OWN_FILE,
        headers={"Content-Security-Policy": "connect-src 'self'; require-trusted-types-for 'script'"},
        does=BAR,
        but=frozenset({"errors"}),
    ),
    Odd("policy-of-a-sandbox", headers={"Content-Security-Policy": SANDBOX}, may=frozenset({"view"})),
    Odd(
        "cross-origin-isolated",
        headers={"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"},
        server=_with_corp,
    ),
    Odd(
        "no-right-to-the-clipboard",
        headers={"Permissions-Policy": "clipboard-write=(), clipboard-read=()"},
        button=True,
    ),
    Odd("no-referrer", headers={"Referrer-Policy": "no-referrer"}),
]

WRITTEN: Final = (
    '<script data-probe="">document.write(\'<script async src="{src}" data-site="sitekey"><\\/script>\')</script>'
)
GONE: Final = "{tag}<script data-probe=\"\">document.querySelector('[data-site]').remove()</script>"
ON_CLICK: Final = "addEventListener('click', ({target}) => { if (target.id != 'button') return; THEN });"
SURVEY: Final = (
    "<style>#form{position:fixed;top:300px;left:100px;width:300px;height:90px}"
    "#button{position:absolute;bottom:0;left:0}</style>"
)
COPIES: Final = "document.addEventListener('copy', (event) => { THEN });"
CHANGES: Final = [
    Odd("script-added-late", snippet=LATE),
    Odd("script-written", snippet=WRITTEN),
    Odd("script-removed-before-it-runs", snippet=GONE),
    Odd(
        "script-moved",
        ON_CLICK.replace("THEN", "const one = document.querySelector('[data-site]'); one && document.body.append(one)"),
    ),
    Odd("written-while-loading", body=BODY + "<script>document.write('<p>Written</p>')</script>"),
    Odd(
        "written-anew-after-load",
        ON_CLICK.replace("THEN", "document.open(); document.write(`<title>New</title>{body}`); document.close()"),
        body=BODY.replace("<form", "<div").replace("</form", "</div"),
        does=NO_COPY,
    ),
    Odd(
        "body-replaced-after-load",
        ON_CLICK.replace(
            "THEN",
            "const fresh = document.createElement('body'); fresh.innerHTML = `{body}`;"
            " document.body.replaceWith(fresh)",
        ),
    ),
    Odd("body-emptied-after-load", ON_CLICK.replace("THEN", "document.body.innerHTML = ''"), does=NO_COPY),
    Odd(
        "unknown-elements-removed",
        "new MutationObserver((all) => { for (const {addedNodes} of all) for (const one of addedNodes)"
        " if (/-/.test(one.localName)) one.remove() }).observe(document, {childList: true, subtree: true});",
        does=NO_BAR,
    ),
    Odd(
        "framework-that-checks-its-root",
        "addEventListener('DOMContentLoaded', () => probe.note('root', document.querySelector('#root').innerHTML));"
        "addEventListener('load', () => { document.querySelector('#root').innerHTML = '<p>Alive</p>' });",
        body='<div id="root"><p>Drawn by the server</p></div>' + BODY,
    ),
    Odd(
        "page-that-watches-its-elements",
        "new MutationObserver((all) => { for (const {target, addedNodes} of all) for (const one of addedNodes)"
        " if (one.nodeType == 1 && !/^(html|head|body|grapevine-.*)$/.test(target.localName))"
        " probe.count(one.localName) }).observe(document, {childList: true, subtree: true});",
    ),
    Odd(
        "page-that-fills-the-clipboard",
        COPIES.replace("THEN", "event.preventDefault(); event.clipboardData.setData('text/plain', 'theirs')"),
        does=NO_COPY,
    ),
    Odd("page-that-keeps-copies-to-itself", COPIES.replace("THEN", "event.stopImmediatePropagation()"), does=NO_COPY),
    Odd("page-that-listens-to-copies", COPIES.replace("THEN", "probe.note('copies', String(getSelection()))")),
    Odd("editor", body=f'<div contenteditable="true" id="editor">{BODY}</div>', does=NO_COPY),
    Odd(
        "survey-in-a-form", head=SURVEY, body=BODY.replace('<div id="place"></div>', ""), attributes={"survey": "#form"}
    ),
    Odd(
        "print",
        ON_CLICK.replace("THEN", "dispatchEvent(new Event('beforeprint')); dispatchEvent(new Event('afterprint'))"),
    ),
    Odd(
        "page-that-is-told-of-leaving",
        "addEventListener('beforeunload', () => {}); addEventListener('unload', () => {});",
    ),
    Odd("redirect-at-once", "location.replace('/next');", files={"/next": (HTML.replace("{ {script} }", ""), TEXT)}),
    Odd(
        "service-worker",
        """const {serviceWorker} = navigator;
        probe.hold = serviceWorker.register('/worker.js').then(() => serviceWorker.controller ||
          new Promise((done) => serviceWorker.addEventListener('controllerchange', done)));""",
        files={
            "/worker.js": (
                (
                    "addEventListener('install', () => skipWaiting());"
                    "addEventListener('activate', (event) => event.waitUntil(clients.claim()));"
                    "addEventListener('fetch', (event) => event.respondWith(/data.json/.test(event.request.url)"
                    " ? new Response('from the worker') : fetch(event.request)));"
                ),
                JS,
            )
        },
    ),
]

PAGES: Final = [*KINDS, *FRAMES, *POLICIES, *CHANGES]
