"""The Python client of the HTTP API: ``Client``, and ``AsyncClient`` for asyncio.

Results are the very structs of which the server makes its answers. Calls are described once (``groups``), made in one
place (``exchange``), and run in two ways (``ways``).
"""

from grapevine.client.clients import AsyncClient, Client
from grapevine.client.errors import (
    ApiError,
    BadRequestError,
    BadSignatureError,
    ClientError,
    ClientSettingError,
    ConflictError,
    ConnectionFailed,
    ForbiddenError,
    InvalidError,
    NotATokenError,
    NotFoundError,
    RateLimitedError,
    ServerFaultError,
    TimedOut,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnexpectedAnswer,
    UnknownSiteError,
    UnknownVisitError,
)
from grapevine.client.live import FeedEvent
from grapevine.client.retry import Retries

__all__ = [
    "ApiError",
    "AsyncClient",
    "BadRequestError",
    "BadSignatureError",
    "Client",
    "ClientError",
    "ClientSettingError",
    "ConflictError",
    "ConnectionFailed",
    "FeedEvent",
    "ForbiddenError",
    "InvalidError",
    "NotATokenError",
    "NotFoundError",
    "RateLimitedError",
    "Retries",
    "ServerFaultError",
    "TimedOut",
    "TooLargeError",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedAnswer",
    "UnknownSiteError",
    "UnknownVisitError",
]
