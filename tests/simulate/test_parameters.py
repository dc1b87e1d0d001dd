"""Parameters out of their range are refused by name."""

from __future__ import annotations

import pytest

from grapevine.errors import Invalid
from grapevine.simulate.parameters import Parameters


@pytest.mark.parametrize(
    ("field", "value"),
    [("k", -1), ("k", 2), ("lost", 1.5), ("visits", 0), ("pages", 1), ("days", 0), ("retried", -0.1)],
)
def test_worlds_that_cannot_be(field: str, value: float) -> None:
    with pytest.raises(Invalid, match=field):
        Parameters(**{field: value})  # type: ignore[arg-type]
