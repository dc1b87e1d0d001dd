"""The days that ``grapevine demo`` fills in: one run of thirty days, looked at over the API as any client would."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from grapevine.simulate.people import PREVIEWERS
from tests.cli.running_demo import PATIENCE_SECONDS, RunningDemo, ask, rows

pytestmark = pytest.mark.process

DAYS = 30
OF_A_CHANNEL = {"whatsapp": {"whatsapp"}, "telegram": {"telegram"}, "slack": {"slack"}, "facebook": {"facebook"},
                "x": {"x"}, "linkedin": {"linkedin"}, "reddit": {"reddit"}, "email": set(), "sms": set(),
                "copy": set(PREVIEWERS), "native": set(PREVIEWERS), "link": set(PREVIEWERS)}  # fmt: skip
"""The apps whose preview robots may fetch a share of each channel; a copied link may be pasted into any of them."""


class Filled:
    """A demo whose past is filled in."""

    def __init__(self, facts: dict[str, Any], said: dict[str, int]) -> None:
        self.facts = facts
        self.said = said
        today = datetime.now(UTC).date()  # midnight may have passed since the demo began
        around = {"from": (today - timedelta(days=DAYS + 2)).isoformat(), "to": today.isoformat()}
        points = ask(facts, "/v1/stats/series", interval="day", metric="visits", **around)
        busy = [index for index, point in enumerate(points) if point["value"]]
        self.days = points[busy[0] : busy[-1] + 1]

    def ask(self, path: str, **parameters: str) -> Any:
        return ask(self.facts, path, **parameters)

    def keys(self, by: str) -> Counter[str]:
        found = self.ask("/v1/stats/breakdown", by=by)
        return Counter({row["key"]: row["visits"] for row in found})

    def rows(self, table: str) -> list[dict[str, Any]]:
        return rows(self.facts, table, DAYS)


@pytest.fixture(scope="module")
def filled() -> Iterator[Filled]:
    with tempfile.TemporaryDirectory() as folder:
        demo = RunningDemo("--json", folder=Path(folder))
        with demo.process:
            try:
                facts = json.loads(demo.line())
                assert facts["history"] == DAYS
                # It answers while it fills.
                assert httpx.get(f"{facts['server']}/healthz", trust_env=False, timeout=PATIENCE_SECONDS).is_success
                yield Filled(facts, json.loads(demo.line())["filled"])
                assert demo.end() == ("", "")
            finally:
                demo.process.kill()


def test_what_it_says_is_there(filled: Filled) -> None:
    summary = filled.ask("/v1/stats/summary")
    assert abs(summary["visits"] - filled.said["visits"]) < 0.02 * filled.said["visits"]  # robots come and go
    assert summary["conversions"] == filled.said["conversions"]
    largest = filled.ask("/v1/cascades", sort="depth", limit="1")["cascades"][0]
    assert largest["max_depth"] == filled.said["deepest"]


def test_no_day_is_empty_and_none_is_all(filled: Filled) -> None:
    visits = [point["value"] for point in filled.days]
    assert len(visits) == DAYS
    assert min(visits) > 0
    assert max(visits) < 0.15 * sum(visits)
    whole = visits[:-1]
    assert min(whole) > 100


def test_people_sleep_and_have_weekends(filled: Filled) -> None:
    hours: Counter[int] = Counter()
    for point in filled.ask("/v1/stats/series", interval="hour", metric="visits"):
        hours[int(point["at"][11:13])] += point["value"]
    assert sum(hours[hour] for hour in (1, 2, 3, 4)) * 4 < sum(hours[hour] for hour in (18, 19, 20, 21))


def test_the_numbers_are_those_of_word_of_mouth(filled: Filled) -> None:
    summary = filled.ask("/v1/stats/summary")
    assert 8_000 < summary["visits"] < 18_000
    assert 0.7 < summary["dark_share"] < 0.95
    assert 0.1 < summary["return_share"] < 0.4
    assert 0.1 < summary["k_factor"] < 0.6
    assert summary["self_returns"] > 20
    assert summary["same_network_returns"] > 10
    assert summary["drops"]["robot"] > 50
    assert summary["drops"]["opted-out"] > 50
    assert summary["suspects"]["driven"] > 5
    assert summary["suspects"]["scanner"] > 5
    assert set(summary["unfurls"]) >= {"whatsapp", "slack", "telegram", "discord", "reddit"}
    assert set(summary["value"]) == {"EUR", "USD"}


def test_people_come_in_every_way(filled: Filled) -> None:
    assert set(filled.keys("source")) >= {
        "share", "search", "social", "messenger", "direct-home", "direct-deep", "campaign", "assistant", "referral",
        "email",
    }  # fmt: skip
    assert set(+filled.keys("device")) == {"phone", "desktop", "tablet"}
    assert set(filled.keys("channel")) >= {"copy", "whatsapp", "native", "email", "telegram", "reddit"}


def test_cascades_are_of_every_size_and_most_are_tiny(filled: Filled) -> None:
    sizes = Counter[int]()
    cursor: dict[str, str] = {}
    great = []
    while True:
        page = filled.ask("/v1/cascades", sort="size", limit="200", **cursor)
        for cascade in page["cascades"]:
            sizes[cascade["size"]] += 1
            great += [cascade] if cascade["size"] > 100 and cascade["max_depth"] > 6 else []
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert great
    assert sum(count for size, count in sizes.items() if size > 100) <= 3
    assert sum(count for size, count in sizes.items() if 20 <= size <= 100) >= 3
    assert sum(count for size, count in sizes.items() if size <= 5) > 0.65 * sizes.total()
    cascade = filled.ask(f"/v1/cascades/{great[0]['root']}")
    assert len(cascade["nodes"]) == great[0]["size"]


def test_a_preview_belongs_to_the_channel_that_a_link_went_by(filled: Filled) -> None:
    unfurls = filled.rows("unfurls")
    wrong = [row for row in unfurls if row["app"] not in OF_A_CHANNEL[row["channel"]]]
    assert not wrong
    apps = Counter(row["channel"] for row in unfurls)
    assert apps["whatsapp"] > 20
    assert apps["copy"] > 20
    assert apps["email"] == apps["sms"] == 0


def test_pages_are_those_of_the_demo_site(filled: Filled) -> None:
    pages = filled.keys("page")
    assert len(pages) >= 8
    for page in pages:
        assert page.startswith(filled.facts["site_url"])
        assert httpx.get(page, trust_env=False, timeout=PATIENCE_SECONDS).status_code == 200, page


def test_goals_are_credited_to_shares(filled: Filled) -> None:
    assert {row["goal"] for row in filled.rows("conversions")} >= {"letter", "order"}
    credit = filled.ask("/v1/attribution", model="linear")
    assert float(credit["without_share"]["conversions"]) < credit["conversions"]
    assert any(float(row["value"].get("EUR", 0)) > 100 for row in credit["channels"])
    assert len(credit["shares"]) > 20


def test_people_answer_in_several_tones_and_languages(filled: Filled) -> None:
    texts = [row["text"] for row in filled.rows("answers")]
    assert len(set(texts)) > 30
    assert any("Schwester" in text or "gemailt" in text or "Freund" in text for text in texts)
    assert any(text.islower() for text in texts)


def test_the_page_that_takes_off_is_a_spike_and_its_cause_is_a_cascade(filled: Filled) -> None:
    spikes = filled.ask("/v1/spikes")["spikes"]
    spike = max(spikes, key=lambda spike: int(spike["peak"]))
    assert spike["page"] == f"{filled.facts['site_url']}/articles/sixty-one-per-cent/"
    assert spike["over"]
    assert spike["peak"] > 30
    assert len(spikes) < 10  # a few smaller ones may come on days when much is shared
    largest = filled.ask("/v1/cascades", sort="size", limit="1")["cascades"][0]
    assert largest["url"] == spike["page"]
    raised = datetime.fromisoformat(spike["at"])
    assert timedelta(0) < raised - datetime.fromisoformat(largest["started_at"]) < timedelta(hours=1)


def test_an_estimate_of_direct_traffic_is_given(filled: Filled) -> None:
    direct = filled.ask("/v1/stats/direct", **_thirty_days(filled))
    estimate = direct["estimate"]
    assert estimate["reason"] is None
    assert 0 < estimate["low"] < estimate["value"] < estimate["high"] <= estimate["of"]
    assert 0.45 < estimate["value"] / estimate["of"] < 0.85  # six in ten are true, says the simulation
    assert direct["measured"]["private_returns"] > 1_000
    assert direct["evidence"]["in_app"] > 50


def _thirty_days(filled: Filled) -> dict[str, str]:
    return {"from": filled.days[0]["at"][:10], "to": filled.days[-1]["at"][:10]}


def test_links_that_the_site_made_are_there_with_their_readers(filled: Filled) -> None:
    links = {link["label"]: link for link in filled.ask("/v1/links")["links"]}
    assert len(links) == 5
    radio, card = links["Said on the radio, morning show"], links["Card with the recipe"]
    assert radio["short_url"].endswith("/go/almanac")
    assert 20 < radio["clicks"] < 60
    assert card["scans"] > 20 > card["clicks"] > 0
    (ticket,) = filled.ask("/v1/links", external_id="ticket-4711")["links"]
    assert ticket["returns"] > 0
    for link in links.values():
        whole = filled.ask(f"/v1/links/{link['token']}")
        assert whole["visits"] == sum(generation["visits"] for generation in whole["generations"])
        assert filled.ask(f"/v1/cascades/{link['visit']}")["size"] == link["visits"]
    letter = filled.ask("/v1/links/summary", campaign="letter-46")
    assert letter["links"] == letter["forwarded"] == 2
    assert len(letter["generations"]) > 2


def test_nothing_of_the_past_is_kept_longer_than_it_would_have_been(filled: Filled) -> None:
    with sqlite3.connect(filled.facts["database"].removeprefix("sqlite:///")) as connection:
        (salts,) = connection.execute("SELECT count(*) FROM salts WHERE kind = 'visitor'").fetchone()
    assert salts <= 3


def test_visits_of_now_are_counted_now_while_the_past_is_filled_in(tmp_path: Path) -> None:
    demo = RunningDemo("--json", "--history", "30", folder=tmp_path)
    with demo.process:
        facts = json.loads(demo.line())
        body = {"site": facts["site"], "url": f"{facts['site_url']}/docs/?now=1", "nonce": "n" * 24}
        headers = {"Origin": facts["site_url"], "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Firefox/144.0"}
        answer = httpx.post(
            f"{facts['server']}/v1/visits", json=body, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
        )
        assert answer.status_code == 200
        visit = answer.json()["visit"]
        page = ask(facts, "/v1/stats/series", interval="day", metric="visits", page=f"{facts['site_url']}/docs/?now=1")
        assert [point["value"] for point in page][-2:].count(1) == 1
        assert len(visit) == 11
        assert demo.end() == ("", "")  # in the middle of the past
    assert demo.process.returncode == 0
    assert list(tmp_path.iterdir()) == []
