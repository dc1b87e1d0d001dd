"""The fast path: uvicorn's HTTP protocol, extended so that collect calls and short links skip ASGI.

``http_protocol`` is the only door to this package. The fast path relies on parts of uvicorn's protocol class that no
release has to keep, so it checks for them, and steps aside when one is missing (docs/decisions/0007).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import uvicorn

from grapevine.serving.fast_path.limits import ANSWER_SECONDS, REQUEST_SECONDS, ConnectionsPerAddress

log = logging.getLogger(__name__)


def http_protocol(
    addresses: ConnectionsPerAddress | None = None,
    request_seconds: float = REQUEST_SECONDS,
    answer_seconds: float = ANSWER_SECONDS,
) -> Callable[..., asyncio.Protocol]:
    """Returns the class for ``uvicorn.Config(http=…)``: the fast path, or a plain protocol if it does not fit uvicorn.

    The plain protocol answers the same, more slowly, bounded in the same way but for a time limit on requests.
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
            return partial(
                FastPathProtocol, addresses=addresses, request_seconds=request_seconds, answer_seconds=answer_seconds
            )
    log.warning(
        "uvicorn %s does not have what the fast path relies on (%s): every request goes through ASGI",
        uvicorn.__version__,
        ", ".join(missing),
    )
    from grapevine.serving.fast_path.plain import PlainProtocol

    return partial(PlainProtocol, addresses=addresses, answer_seconds=answer_seconds)
