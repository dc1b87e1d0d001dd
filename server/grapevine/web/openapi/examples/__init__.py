"""One example a file: ``CALL.request.json`` and ``CALL.response.json``, where CALL is the name of the operation."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def example(call: str, part: str) -> Any:
    """Returns the example of a call's ``request`` or ``response``; None where there is none."""
    file = files(__package__).joinpath(f"{call}.{part}.json")
    return json.loads(file.read_text("utf-8")) if file.is_file() else None
