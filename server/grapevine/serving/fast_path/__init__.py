"""The fast path: uvicorn's HTTP protocol, extended so that collect calls and short links skip ASGI.

``http_protocol`` is the only door to this package. The fast path relies on parts of uvicorn's protocol class that no
release has to keep, so it checks for them, and steps aside when one is missing (docs/decisions/0007).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final, Literal

import uvicorn

log = logging.getLogger(__name__)

REQUEST_SECONDS: Final = 30.0
"""How long a request may take to arrive, from its first byte to its last."""


def http_protocol(request_seconds: float = REQUEST_SECONDS) -> Callable[..., asyncio.Protocol] | Literal["auto"]:
    """Returns the class for ``uvicorn.Config(http=…)``: the fast path, or uvicorn's plain protocol if it does not fit.

    The plain protocol answers the same to the byte, more slowly, and waits without end for a request that has begun.
    """
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

        from grapevine.serving.fast_path.features import missing_features
        from grapevine.serving.fast_path.protocol import FastPathProtocol

        missing = missing_features(HttpToolsProtocol)
    except ImportError as error:
        missing = [str(error)]
    else:
        if not missing:
            return partial(FastPathProtocol, request_seconds=request_seconds)
    log.warning(
        "uvicorn %s does not have what the fast path relies on (%s): every request goes through ASGI",
        uvicorn.__version__,
        ", ".join(missing),
    )
    return "auto"
