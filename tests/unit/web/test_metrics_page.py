"""docs/metrics.md and the alerts say what the server has, and the other way round."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from grapevine.domain.enums import DROP_REASONS
from grapevine.telemetry.request_tallies import ROUTES
from grapevine.telemetry.rows import MOST_NUMBERS
from grapevine.web.route_classes import route_classes
from grapevine.web.routes import routes
from grapevine.web.server_metrics.families import FAMILIES
from tests.support.metrics_page import PAGE, exposed, labels, metrics, written

SUFFIXES = ("_bucket", "_sum", "_count")
PROMETHEUS_OWN = {"up": {"job": {"grapevine"}}}
SELECTOR = re.compile(r"\b([a-z]\w*)\{([^}]*)\}|\b((?:grapevine|process)_\w+)")
MATCHER = re.compile(r'(\w+)(=~|!=|=)"([^"]*)"')


def alerts(project_root: Path) -> list[dict[str, Any]]:
    found = yaml.safe_load((project_root / "docs/prometheus-alerts.yaml").read_text("utf-8"))
    assert [group["name"] for group in found["groups"]] == ["grapevine"]
    return list(found["groups"][0]["rules"])


def emitted() -> dict[str, dict[str, set[str]]]:
    """The values of each label of every series by its name, as Prometheus stores it."""
    found: dict[str, dict[str, set[str]]] = {}
    for metric in metrics():
        for sample in metric.samples:
            values = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                values.setdefault(label, set()).add(value)
    return found


def test_the_page_has_every_metric_and_no_other() -> None:
    text = PAGE.read_text("utf-8")
    assert written(text) == text, "python -m tests.support.metrics_page writes the tables"
    named = set(re.findall(r"`((?:grapevine|process)_\w+)`", text))
    assert {exposed(metric) for metric in metrics() if not metric.name.startswith("process_")} <= named
    known = {exposed(metric) for metric in metrics()} | set(emitted())
    # On a system that does not say them the names of processes cannot be compared.
    assert {name for name in named - known if not name.startswith("process_")} == set()


def test_the_page_has_every_class_of_routes() -> None:
    text = PAGE.read_text("utf-8")
    assert [name for name in ROUTES if f"`{name}`" not in text] == []


def test_every_route_has_a_class_of_the_list_and_every_class_a_route() -> None:
    assert set(route_classes(routes("/g")).values()) | {"other"} == set(ROUTES)


def test_names_follow_the_rules_of_prometheus() -> None:
    for metric in metrics():
        assert re.fullmatch(r"(grapevine|process)_[a-z]+(_[a-z]+)*", metric.name), metric.name
        assert not metric.name.endswith(("_total", *SUFFIXES)), metric.name
        assert metric.documentation.endswith(".")
        assert not {"job", "instance", "le"}.intersection(labels(metric)), "Prometheus sets these itself"


def test_all_numbers_fit_into_a_row_with_room_for_more() -> None:
    assert sum(len(family.keys) * family.width for family in FAMILIES) < MOST_NUMBERS // 2


def test_labels_are_closed_sets() -> None:
    by_name = {family.name: family for family in FAMILIES}
    assert [key for (key,) in by_name["grapevine_events_dropped"].keys] == list(DROP_REASONS)
    for family in FAMILIES:
        assert len(set(family.keys)) == len(family.keys)
        assert all(len(key) == len(family.labels) for key in family.keys)
        assert len(family.keys) <= 100


def test_every_alert_names_series_and_labels_that_are_there(project_root: Path) -> None:
    series = emitted() | PROMETHEUS_OWN
    checked = 0
    for alert in alerts(project_root):
        for name, matchers, bare in SELECTOR.findall(alert["expr"]):
            assert (name or bare) in series, f"{alert['alert']}: {name or bare}"
            for label, operator, value in MATCHER.findall(matchers):
                known = series[name].get(label, set())
                wanted = value.split("|") if operator == "=~" else [value]
                assert known.issuperset(wanted), f"{alert['alert']}: {label}{operator}{value}"
                checked += 1
    assert checked >= 5


def test_alerts_are_complete_and_watch_what_matters(project_root: Path) -> None:
    rules = alerts(project_root)
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert (
            {"alert", "expr", "labels", "annotations"} <= set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        )
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description"}
        assert re.fullmatch(r"\d+m", rule.get("for", "0m"))
    watched = " ".join(rule["expr"] for rule in rules)
    for name in (
        "grapevine_ready", "grapevine_queue_events", "grapevine_commit_seconds_bucket", "grapevine_job_runs_total",
        "grapevine_job_last_success_timestamp_seconds", "grapevine_webhook_attempts_total", "grapevine_disk_free_bytes",
        'grapevine_events_dropped_total{reason="busy"}', "grapevine_store_errors_total",
    ):  # fmt: skip
        assert name in watched


@pytest.mark.parametrize("name", ["grapevine_events_accepted_total", "grapevine_http_request_seconds_bucket"])
def test_the_comparison_knows_real_series(name: str) -> None:
    assert name in emitted()
