"""Which tests run in one worker: those of a module that makes or reads what costs seconds, so that it does so once."""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadScopeScheduling

ONE_WORKER: Final = frozenset(
    f"tests/{name}.py"
    for name in (
        "accuracy/test_agents_accuracy",
        "accuracy/test_estimate_accuracy",
        "bench/test_client",
        "browser/test_blockers",
        "store/analytics/test_cascades",
        "store/analytics/test_direct",
        "store/analytics/test_goals",
        "store/analytics/test_summary",
        "store/analytics/test_suspect_counts",
        "store/postgres/test_query_plans",
        "store/exports/test_export_cost",
        "unit/test_architecture",
        "simulate/test_world",
        "web/api/test_attribution",
        "web/dashboard/test_conversions",
        "cli/test_demo",
        "cli/test_demo_history",
        "cli/test_mcp",
    )
)


class SharedFixtureScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Sends each test to the next free worker, and the tests of a module in ONE_WORKER to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if module in ONE_WORKER else nodeid
