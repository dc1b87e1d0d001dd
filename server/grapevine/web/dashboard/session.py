"""Sessions of the dashboard: a cookie with the signed, random id of a session that stands in the store until it ends.

The signature is checked first, so that a forged cookie costs no query; the session's row says when it ends. The store
has only the hash of the id: no cookie can be made from a copy of the database.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from typing import Any, Final

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response

from grapevine.store.rows import KeyRow
from grapevine.web.state import AppState

COOKIE: Final = "grapevine_session"
MAX_AGE_SECONDS: Final = 30 * 86_400
MOST_SESSIONS: Final = 100
"""Sessions of one API key; a further one ends the oldest."""
_LONG_AGO: Final = "Thu, 01 Jan 1970 00:00:00 GMT"
_SALT: Final = b"grapevine.dashboard.session"


def cookie_keys(secret_keys: Iterable[bytes]) -> list[bytes]:
    """Returns a key for each secret key. The last one signs, so cookies stay good when another key begins to sign."""
    return [hashlib.sha256(b"grapevine.dashboard" + key).digest() for key in secret_keys]


def sign(session_id: str, signers: Sequence[bytes]) -> str:
    """Returns the cookie's value for a session."""
    return str(_serializer(signers).dumps(session_id))


def session_id_in(cookie: str, signers: Sequence[bytes]) -> str | None:
    """Returns the session's id in a cookie; None when this server did not sign it."""
    try:
        session_id = _serializer(signers).loads(cookie)
    except BadSignature:
        return None
    return session_id if isinstance(session_id, str) else None


def new_session_id() -> str:
    """Returns 128 random bits as hex."""
    return secrets.token_hex(16)


async def begin(request: Request, state: AppState, response: Response, key: KeyRow) -> None:
    """Begins a session of an API key and sets its cookie; the session that the browser had ends."""
    await end(request, state)
    session_id = new_session_id()
    expires_at = state.clock() + MAX_AGE_SECONDS * 1000
    await state.store.sessions.add(_digest(session_id), key.key_id, expires_at, MOST_SESSIONS)
    value = sign(session_id, cookie_keys(state.keyring.keys))
    response.set_cookie(cookie_name(request, state), value, max_age=MAX_AGE_SECONDS, **_attributes(request, state))


async def signed_in_key(request: Request, state: AppState) -> KeyRow | None:
    """Returns the API key of the request's session; None when there is none, it has ended, or the key was revoked."""
    session_id = _session_id(request, state)
    key_id = await state.store.sessions.key_id(_digest(session_id), state.clock()) if session_id else None
    key = await state.store.api_keys.key_by_id(key_id) if key_id else None
    if key is not None:
        state.key_usage.note(key.key_id)
    return key


async def end(request: Request, state: AppState) -> None:
    """Ends the session of a request, if it has one, for every process."""
    session_id = _session_id(request, state)
    if session_id:
        await state.store.sessions.end(_digest(session_id))


def delete_cookie(request: Request, state: AppState, response: Response) -> None:
    """Makes the browser delete its cookie."""
    # Starlette's `delete_cookie` sets the time of this machine, so that the answer changes from second to second.
    response.set_cookie(cookie_name(request, state), max_age=0, expires=_LONG_AGO, **_attributes(request, state))


def cookie_name(request: Request, state: AppState) -> str:
    """Returns the cookie's name. Its prefix makes browsers refuse one that was not set as ours is (RFC 6265bis, 4.1.3).

    ``__Host-``: over https by this very host, for all of its paths. With ``GRAPEVINE_PREFIX`` the host is shared with a
    site, whose paths are not ours to claim: ``__Secure-``, over https. Over plain http browsers refuse both prefixes.
    """
    if not _is_https(request, state):
        return COOKIE
    return f"__Secure-{COOKIE}" if state.settings.prefix else f"__Host-{COOKIE}"


def _attributes(request: Request, state: AppState) -> dict[str, Any]:
    return {"path": "/", "secure": _is_https(request, state), "httponly": True, "samesite": "lax"}


def _is_https(request: Request, state: AppState) -> bool:
    """Returns whether the browser uses https, also behind a proxy that sends no ``X-Forwarded-Proto``."""
    host = request.headers.get("host", "")
    return request.url.scheme == "https" or state.settings.base_url == f"https://{host}"


def _session_id(request: Request, state: AppState) -> str | None:
    cookie = request.cookies.get(cookie_name(request, state))
    return session_id_in(cookie, cookie_keys(state.keyring.keys)) if cookie else None


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


def _serializer(signers: Sequence[bytes]) -> URLSafeSerializer:
    return URLSafeSerializer(
        list(signers), salt=_SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha512}
    )
