"""Makes the Starlette application: routes, exception handlers, trusted proxies."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Lifespan

from grapevine.config.settings import Settings
from grapevine.errors import Problem, StoreError
from grapevine.web.answer_headers import GuardedApplication
from grapevine.web.dashboard.missing import on_missing
from grapevine.web.dashboard.sign_in_link import SignInLink
from grapevine.web.problems import on_disconnect, on_error, on_http_exception, on_problem, on_store_error
from grapevine.web.proxies import Proxies
from grapevine.web.routes import routes


def web_application(
    settings: Settings, lifespan: Lifespan[Any] | None, sign_in_link: SignInLink | None = None
) -> ASGIApp:
    """Returns the application. Behind trusted proxies it takes the client's address from them."""
    app = GuardedApplication(
        settings.hsts,
        routes=routes(settings.prefix, sign_in_link),
        lifespan=lifespan,
        exception_handlers={
            Problem: on_problem,
            StoreError: on_store_error,
            HTTPStatus.NOT_FOUND: on_missing,
            HTTPException: on_http_exception,
            ClientDisconnect: on_disconnect,
            Exception: on_error,
        },
    )
    return Proxies(settings.trusted_proxies).around(app)
