"""The widget's words: every language says everything, counts as its speakers do, and runs the way it is written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import snippet
from tests.browser.fake_collect_api import Recorder
from tests.support.page_server import Site

WIDGET = Path(__file__).resolve().parents[2] / "widget"
WORDS: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted((WIDGET / "translations").glob("*.json"))
}
ELSEWISE = {"ar", "fa", "he", "hi", "ja", "ko", "th", "zh", "bg", "el", "ru", "uk"}
"""Languages in another script than English's."""


def test_there_are_thirty_languages() -> None:
    assert len(WORDS) == 30


@pytest.mark.parametrize("language", WORDS)
def test_a_language_has_a_word_for_everything(language: str) -> None:
    asked = {
        key
        for file in (WIDGET / "src").rglob("*.js")
        for key in re.findall(r"\btranslate\(\(?'(\w+)'", file.read_text(encoding="utf-8"))
    }
    words = WORDS[language]
    assert {"bar", "copied", "contact", "dir", "lang"} < asked
    assert asked - set(words) == set()
    assert set(words) - asked == {"copy", "native", "email", "print"}, "the names of channels"
    assert all(words.values())
    assert words["lang"] == language
    assert words["paste"].count("$") == 1
    assert [key for key, text in words.items() if isinstance(text, str) and text != text.strip()] == []


@pytest.mark.parametrize("language", sorted(ELSEWISE))
def test_nothing_is_left_in_english_script(language: str) -> None:
    for key, text in WORDS[language].items():
        if isinstance(text, str) and key not in ("lang", "dir") and text != "Email":
            assert any(ord(letter) > 0x24F for letter in text), (key, text)


def test_counts_have_every_plural_of_their_language_and_words_run_as_they_are_written(page: Page) -> None:
    facts = page.evaluate(
        """languages => languages.map(language => {
          const locale = new Intl.Locale(language);
          return [
            Intl.PluralRules.supportedLocalesOf(language).length,
            new Intl.PluralRules(language).resolvedOptions().pluralCategories,
            (locale.getTextInfo?.() ?? locale.textInfo).direction,
          ];
        })""",
        list(WORDS),
    )
    for (language, words), (known, plurals, direction) in zip(WORDS.items(), facts, strict=True):
        assert known, language
        assert set(words["count"]) == set(plurals), language
        assert words["dir"] == direction, language
        for number, form in words["count"].items():  # a number that a form names by itself is one alone
            assert "$" in form or number in ("zero", "one", "two"), (language, number)


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("ar", 2, "مشاركتان"), ("ar", 11, "11 مشاركة"), ("he", 2, "שני שיתופים"), ("ru", 21, "21 репост"),
        ("pl", 3, "3 udostępnienia"), ("es", 1, "compartido 1 vez"), ("ja", 7, "共有 7 件"), ("en", 1, "1 share"),
        ("nn-NO", 2, "2 delinger"), ("de-AT", 1234, "1234-mal geteilt"), ("ro", 20, "20 de distribuiri"),
    ],
)  # fmt: skip
def test_a_count_is_said_as_the_language_says_it(
    page: Page, site: Site, recorder: Recorder, language: str, count: int, said: str
) -> None:
    recorder.counts = {"total": count, "channels": {}}
    site.page("/p", snippet=snippet(counts="on", lang=language, buttons="copy"))
    page.goto(site.origin + "/p")
    bar = page.locator("[part=bar]")
    expect(bar).to_have_attribute("aria-label", re.compile(","))
    label = (bar.get_attribute("aria-label") or "").partition(", ")[2]
    digits = label.translate({ord(arabic): str(number) for number, arabic in enumerate("٠١٢٣٤٥٦٧٨٩")})
    assert re.sub(r"(?<=\d)\D(?=\d)", "", digits) == said


DIRECTIONS = """() => ['buttons', 'follow', 'survey', 'forget']
  .flatMap(name => [...document.querySelectorAll('grapevine-' + name)])
  .flatMap(host => [...host.shadowRoot.children])
  .filter(element => element.matches('[part=bar],[part=status],[part=follow],[part=form],[part=forget]'))
  .map(element => [element.getAttribute('part'), element.lang, element.dir, getComputedStyle(element).direction])"""


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("fa", "rtl"), ("he-IL", "rtl"), ("de", "ltr")])
@pytest.mark.parametrize("around", ["ltr", "rtl"])
def test_words_run_as_they_are_written_whatever_the_page_does(
    page: Page, site: Site, recorder: Recorder, language: str, direction: str, around: str
) -> None:
    recorder.counts = {"total": 12, "channels": {"copy": 5}}
    elements = "<grapevine-buttons channels='copy x'></grapevine-buttons><grapevine-survey contact></grapevine-survey>"
    follow = "<grapevine-follow accounts='x:a linkedin:b'></grapevine-follow><grapevine-forget></grapevine-forget>"
    body = f"<script>document.dir = '{around}'</script><main style='width:600px'>{elements}{follow}</main>"
    site.page("/p", body, snippet=snippet(lang=language, position="inline", counts="on"))
    page.goto(site.origin + "/p")
    page.wait_for_selector("[part=total]")
    page.wait_for_selector("[part=field]")
    page.wait_for_selector("[part=link]")
    page.wait_for_selector("[part=forget]")
    found = page.evaluate(DIRECTIONS)
    assert {name for name, *_ in found} == {"bar", "status", "follow", "form", "forget"}
    assert {tuple(rest) for _, *rest in found} == {(language[:2], direction, direction)}
    first, last = (page.locator("[part=button][data-channel]").nth(i).bounding_box() for i in (0, 1))
    assert first is not None
    assert last is not None
    assert (first["x"] < last["x"]) is (direction == "ltr"), "in the words' order"
    icons = [page.locator("[part=button][data-channel] svg").nth(i).bounding_box() for i in (0, 1)]
    left = min(icon["x"] for icon in icons if icon)
    right = max(icon["x"] + icon["width"] for icon in icons if icon)
    inside = page.locator("main").bounding_box()
    assert inside is not None
    gap = left - inside["x"] if around == "ltr" else inside["x"] + inside["width"] - right
    assert abs(gap) < 1, "the icon is where a row of the page begins"


def test_a_language_that_is_not_there_leaves_english_running_as_english_does(page: Page, site: Site) -> None:
    site.page("/p", "<script>document.dir = 'rtl'</script>", snippet=snippet(lang="ur"))
    page.goto(site.origin + "/p")
    bar = page.locator("[part=bar]")
    expect(bar).to_have_attribute("lang", "en")
    expect(bar).to_have_attribute("dir", "ltr")


@pytest.mark.parametrize("language", ["ar", "en"])
def test_panels_run_as_their_words_do(page: Page, site: Site, language: str) -> None:
    site.page("/p", snippet=snippet(lang=language, buttons="mastodon"))
    page.goto(site.origin + "/p")
    page.locator("[data-channel=mastodon]").click()
    panel = page.locator("dialog")
    expect(panel).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
    expect(panel).to_have_attribute("lang", language)
    heading, close = page.locator("dialog h2").bounding_box(), page.locator("dialog h2 button").bounding_box()
    assert heading is not None
    assert close is not None
    assert (close["x"] > heading["x"] + heading["width"] / 2) is (language == "en")
