"""The list of currencies is ISO 4217's of today."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

from grapevine.domain.currencies import CURRENCIES


def test_the_currencies_are_those_of_the_maintenance_agency() -> None:
    spec = find_spec("iso4217")
    assert spec is not None
    assert spec.origin is not None
    published = ET.parse(Path(spec.origin).parent / "table.xml")  # noqa: S314  # a file of a package, not of a stranger
    assert {code.text for code in published.iter("Ccy")} == CURRENCIES
