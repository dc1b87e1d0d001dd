"""There is one bar, whatever the page does to its body: never two, never none."""

from __future__ import annotations

from typing import Final

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.page_server import Site

BARS: Final = """() => {
  const bars = [...document.querySelectorAll('grapevine-buttons')];
  return bars.map(bar => {
    const box = bar.getBoundingClientRect();
    const drawn = bar.shadowRoot?.querySelectorAll('[part=button]').length > 2 && box.width > 9 && box.height > 9;
    return drawn ? getComputedStyle(bar).position : 'not drawn';
  }).join();
}"""
"""The `position` of each bar, if it can be seen."""

SETTLED: Final = """() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 30)))"""

CHANGES: Final = {
    "content added by innerHTML": "document.body.innerHTML += '<p>A notice</p>'",
    "content added by innerHTML, many times": "for (let i = 0; i < 9; i++) document.body.innerHTML += '<p>Notice</p>'",
    "content added by innerHTML, again and again": """
      for (let i = 0; i < 3; i++) { document.body.innerHTML += '<p>A notice</p>'; await later(60) }""",
    "the body's HTML written as outerHTML": "document.body.outerHTML = document.body.outerHTML",
    "the document's HTML written again": "document.documentElement.innerHTML = document.documentElement.innerHTML",
    "another body": "document.body = document.createElement('body')",
    "a copy of the body": "document.body.replaceWith(document.body.cloneNode(true))",
    "a copy of the document element": "document.documentElement.replaceWith(document.documentElement.cloneNode(true))",
    "a body of another document": """
      const html = '<body><p>New</p><grapevine-buttons position="left"></grapevine-buttons></body>';
      const other = new DOMParser().parseFromString(html, 'text/html');
      document.body.replaceWith(document.importNode(other.body, true))""",
    "a body long after the address": """
      history.pushState(null, '', '?late'); await later(300);
      document.body.replaceWith(document.createElement('body'))""",
    "no body for a while": """
      document.body.remove(); await later(150);
      document.documentElement.append(document.createElement('body'))""",
    "children removed one by one": """
      while (document.body.firstChild) document.body.firstChild.remove();
      await later(0); document.body.append('New')""",
    "what is unknown removed": "[...document.body.children].forEach(one => one.matches('p') || one.remove())",
    "a snapshot restored": """
      const snapshot = document.body.cloneNode(true);
      document.body.replaceWith(document.createElement('body')); await later(30);
      document.body.replaceWith(snapshot)""",
    "a body kept and put back": """
      const kept = document.body;
      kept.replaceWith(document.createElement('body')); await later(30); document.body.replaceWith(kept)""",
    "a snapshot as text, in an element": """
      const text = document.body.innerHTML;
      document.body.innerHTML = '<main></main>'; await later(30); document.querySelector('main').innerHTML = text""",
    "a preview, then the page": """
      const preview = document.body.cloneNode(true);
      document.body.replaceWith(preview); await later(5); document.body.replaceWith(document.createElement('body'))""",
    "a view transition": """
      const change = () => document.body.replaceWith(document.createElement('body'));
      await (document.startViewTransition?.(change).finished ?? change())""",
    "the bar taken out": "document.querySelector('grapevine-buttons').remove()",
    "the bar moved, and its new place emptied": """
      const main = document.body.appendChild(document.createElement('main'));
      main.append(document.querySelector('grapevine-buttons')); await later(30); main.innerHTML = ''""",
    "a document written": "document.open(); document.write('<title>New</title><p>New'); document.close()",
    "a document written with the widget": "document.open(); document.write(`<p>New</p>${widget}`); document.close()",
    "a document written slowly": """
      document.open(); await later(50); document.write('<title>New</title>'); await later(50);
      document.write('<p>New'); await later(50); document.close()""",
}
"""What pages, routers and tools do, by what a failing test says."""


def test_one_bar_after_every_change(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page("/", "<p>Content</p>"))
    tab.until(f"() => ({BARS})() == 'fixed'")
    found = {}
    for name, change in CHANGES.items():
        tab.run(
            f"async widget => {{ const later = ms => new Promise(done => setTimeout(done, ms)); {change} }}",
            recorder.snippet(),
        )
        tab.until(f"() => ({BARS})().includes('fixed')")
        tab.run(SETTLED)
        found[name] = tab.run(BARS)
    assert found == dict.fromkeys(CHANGES, "fixed")
    assert tab.errors() == []
    assert recorder.paths == ["visits", "views"]


def test_a_change_is_never_seen_without_the_bar(tab: Tab, site: Site) -> None:
    tab.visited(site.page())
    tab.until(f"() => ({BARS})() == 'fixed'")
    frames = """async bars => {
      await new Promise(done => setTimeout(done, 100));
      document.body.replaceWith(document.createElement('body'));
      return new Promise(done => requestAnimationFrame(() => done(bars())));
    }"""
    assert tab.run(f"() => ({frames})({BARS})") == "fixed"


def test_a_page_that_removes_the_bar_again_and_again(tab: Tab, site: Site) -> None:
    script = """<script>
      window.removed = 0;
      new MutationObserver(() => {
        const bar = document.querySelector('grapevine-buttons');
        if (bar) { removed++; bar.remove() }
      }).observe(document, {childList: true, subtree: true});
    </script>"""
    tab.visited(site.page("/", head=script))
    before = tab.until("() => window.removed")
    assert tab.run("() => new Promise(done => setTimeout(() => done(removed), 1000))") - before < 10
    assert tab.errors() == []


def test_a_bar_that_a_router_makes_into_an_element_of_the_page(tab: Tab, site: Site) -> None:
    """As one that morphs does when the next page has such an element where this one has the bar."""
    tab.visited(site.page())
    tab.until(f"() => ({BARS})() == 'fixed'")
    for count in (1, 2):
        tab.run("""count => {
          const bar = document.querySelector('[position]');
          document.body.prepend(bar);
          bar.getAttributeNames().forEach(name => bar.removeAttribute(name));
          history.pushState(null, '', '/' + count);
        }""", count)  # fmt: skip
        tab.until(f"expected => ({BARS})() == expected", ",".join([*["relative"] * count, "fixed"]))
    assert tab.errors() == []


def test_a_page_that_was_stored_with_its_bar(tab: Tab, site: Site) -> None:
    stored = '<grapevine-buttons position="right" away></grapevine-buttons>'
    tab.visited(site.page("/", f"<p>One</p>{stored}<p>Two</p>{stored}"))
    tab.until(f"() => ({BARS})() == 'fixed'")
    assert tab.run("() => document.querySelector('grapevine-buttons').getAttribute('position')") == "left"


def test_a_bar_at_the_bottom_still_hides_in_a_written_document(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page("/", snippet=recorder.snippet(position="bottom")))
    tab.until(f"() => ({BARS})() == 'fixed'")
    tab.run("() => { document.open(); document.write('<p style=\"height: 9000px\">'); document.close() }")
    tab.until(f"() => ({BARS})() == 'fixed'")
    tab.run("() => scrollTo(0, 2000)")
    assert tab.until("() => document.querySelector('grapevine-buttons[away]')?.localName || ''")


def test_elements_in_the_page_live_through_snapshots_and_moves(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    element = '<main><grapevine-buttons channels="copy x whatsapp"></grapevine-buttons></main><aside></aside>'
    tab.visited(site.page("/", element, snippet=recorder.snippet(position="inline")))
    tab.until(f"() => ({BARS})() == 'relative'")
    changes = {
        "a copy": "document.querySelector('main').append(document.querySelector('grapevine-buttons').cloneNode(true))",
        "both written again": "document.querySelector('main').innerHTML += '<p>A notice</p>'",
        "one moved": "document.querySelector('aside').append(document.querySelector('grapevine-buttons'))",
        "one moved while it is drawn": """
          const fresh = document.querySelector('aside').appendChild(document.createElement('grapevine-buttons'));
          document.querySelector('main').prepend(fresh); await null; document.querySelector('aside').prepend(fresh)""",
        "a snapshot of the body": "document.body.replaceWith(document.body.cloneNode(true))",
    }
    found = {}
    for (name, change), count in zip(changes.items(), (2, 2, 2, 3, 3), strict=True):
        tab.run(f"async () => {{ {change} }}")
        expected = ",".join(["relative"] * count)
        tab.until(f"expected => ({BARS})() == expected", expected)
        found[name] = tab.run(BARS)
    tab.run("""async () => {
      window.away = document.querySelector('grapevine-buttons');
      away.remove();
      history.pushState(null, '', '/second');
      await new Promise(done => setTimeout(done, 300));
      document.body.append(away);
    }""")
    tab.until("() => away.shadowRoot.querySelector('[href*=second]')?.localName")
    assert tab.errors() == []


def test_one_survey_in_a_form_that_was_copied(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    form = "<form id='f'><input name='mail'><button>Sign up</button></form>"
    tab.visited(site.page("/", form, snippet=recorder.snippet(survey="#f")))
    labels = "() => [...document.querySelectorAll('label')].map(label => label.textContent).join()"
    tab.until(f"() => ({labels})()")
    tab.run("""() => {
      document.body.replaceWith(document.body.cloneNode(true));
      window.copied = document.querySelector('label');
      history.pushState(null, '', '/copy');
    }""")
    tab.until("() => !copied.isConnected && document.querySelector('#f label').localName")
    assert tab.run(labels) == "How did you hear about us? "
    tab.run("() => { document.querySelector('label input').value = 'the radio'; document.forms[0].requestSubmit() }")
    assert recorder.wait("answers")[0]["text"] == "the radio"
