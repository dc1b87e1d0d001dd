"""A link that signs a browser in, for a server that only its own machine reaches: the demo's.

Its code stands in for an API key for as long as the process runs. A server has the route only when somebody made a
link for it, which ``grapevine serve`` never does.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from grapevine.errors import NotFound
from grapevine.web.dashboard import session
from grapevine.web.dashboard.page import dashboard_page
from grapevine.web.dashboard.security import local_path
from grapevine.web.dashboard.view_url import ViewUrl
from grapevine.web.state import app_state

_CODE_BYTES: Final = 16
"""The link has to fit into one line of a terminal, which would cut it in two where it is clicked."""
_OLD_LINK: Final = (
    "This link was made by a demo that has ended. Open the link that the demo printed when it last started."
)


class SignInLink:
    """A link that signs in with the API key ``key_id``. The code is random, and in the memory of this process alone."""

    def __init__(self, key_id: str) -> None:
        self._key_id = key_id
        self._code = secrets.token_urlsafe(_CODE_BYTES)

    def path(self, target: str = "/") -> str:
        """Returns the link's path; it leads to the page ``target`` of the dashboard."""
        own = f"/sign-in/{self._code}"
        return ViewUrl(own, {}).to(own, next=None if target == "/" else target)

    def route(self) -> Route:
        """Returns the route of the link."""
        return Route("/sign-in/{code}", dashboard_page(self._sign_in), methods=["GET"])

    async def _sign_in(self, request: Request) -> Response:
        """``GET /sign-in/{code}``. Begins a session unless the browser has one of this key, and redirects.

        The redirect keeps the code out of the address bar and the history. A check of forged requests would protect
        nothing: to make a browser send one takes the code.
        """
        state = app_state(request)
        code = request.path_params["code"]
        key = await state.store.api_keys.key_by_id(self._key_id)
        if key is None or not hmac.compare_digest(code.encode(), self._code.encode()):
            raise NotFound(_OLD_LINK)
        response = RedirectResponse(local_path(request.query_params.get("next", "/")), 303)
        signed_in = await session.signed_in_key(request, state)
        if signed_in is None or signed_in.key_id != key.key_id:
            await session.begin(request, state, response, key)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response
