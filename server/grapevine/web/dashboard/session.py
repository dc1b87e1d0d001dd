"""The session cookie: the signed id of an API key and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

from grapevine.domain.periods import Clock

COOKIE: Final = "grapevine_session"
MAX_AGE_SECONDS: Final = 30 * 86_400
_SALT: Final = b"grapevine.dashboard.session"


class _Signer(TimestampSigner):
    """A signer whose time is the server's clock."""

    def __init__(self, secret_key: Any, clock: Clock, **options: Any) -> None:
        super().__init__(secret_key, key_derivation="hmac", digest_method=hashlib.sha512, **options)
        self._clock = clock

    def get_timestamp(self) -> int:
        return self._clock() // 1000


def cookie_for(key_id: str, secret: bytes, clock: Clock) -> str:
    """Returns the cookie's value for an API key."""
    return str(_serializer(secret, clock).dumps(key_id))


def key_id_in(cookie: str, secret: bytes, clock: Clock) -> str | None:
    """Returns the key id in a cookie; None when this server did not sign it, or it is older than 30 days."""
    try:
        key_id = _serializer(secret, clock).loads(cookie, max_age=MAX_AGE_SECONDS)
    except BadSignature:
        return None
    return key_id if isinstance(key_id, str) else None


def _serializer(secret: bytes, clock: Clock) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt=_SALT, signer=_Signer, signer_kwargs={"clock": clock})
