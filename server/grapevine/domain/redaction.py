"""Secrets stay out of logs and tracebacks: the representation of what holds one."""

from __future__ import annotations

import re
from typing import Final

_SECRET: Final = re.compile(r"(?:^|_)(secrets?|salts?|passwords?|hash|digest|cookie|secret_keys?)(?:_|$)")
_URL: Final = re.compile(r"://[^/\s]*@")


def is_secret(field: str) -> bool:
    """Returns whether a field of this name holds a secret, or what one could be tried against."""
    return _SECRET.search(field) is not None


def redacted_repr(value: object) -> str:
    """Returns the usual representation of a struct, a dataclass or a named tuple, without the values of secret fields
    and without the user and password of a URL."""
    kind = type(value)
    for names in ("__struct_fields__", "_fields", "__dataclass_fields__"):
        fields = getattr(kind, names, None)
        if fields is not None:
            break
    else:
        return object.__repr__(value)
    shown = (f"{name}={_shown(name, getattr(value, name))}" for name in fields)
    return f"{kind.__name__}({', '.join(shown)})"


def _shown(name: str, value: object) -> str:
    if is_secret(name):
        return f"<{len(value)} hidden>" if isinstance(value, tuple) else "<hidden>"
    return _URL.sub("://<hidden>@", repr(value)) if isinstance(value, str) else repr(value)
