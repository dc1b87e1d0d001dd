"""One example a file: ``CALL.request.json`` and ``CALL.response.json``, where CALL is the name of the operation.

Further requests with a key are named by the operation (``keyed_examples``).
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def example(call: str, part: str) -> Any:
    """Returns the example of a call's ``request``, ``response`` or further request; None where there is none."""
    file = files(__package__).joinpath(f"{call}.{part}.json")
    return json.loads(file.read_text("utf-8")) if file.is_file() else None
