"""Ed25519 (RFC 8032) by the package cryptography, of the extra ``signatures``, which is loaded when needed."""

from __future__ import annotations

import asyncio
import hashlib
from types import ModuleType
from typing import Final

from grapevine.errors import GrapevineError
from grapevine.receipts.document import PublicKey
from grapevine.receipts.jws import encoded

PUBLIC_BYTES: Final = 32


class SignaturesMissing(GrapevineError):
    """The package that signs is not installed; the text says how to install it."""


class SigningKey:
    """A private key, made of 32 secret bytes. ``kid`` and ``public_key`` (base64url) are its public half."""

    def __init__(self, secret_seed: bytes) -> None:
        ed25519 = _ed25519()
        self._secret_key = ed25519.Ed25519PrivateKey.from_private_bytes(secret_seed)
        self.public_key = encoded(self._secret_key.public_key().public_bytes_raw())
        self.kid = thumbprint(self.public_key)

    def sign(self, data: bytes) -> bytes:
        """Returns the signature, 64 bytes; the same data has the same one."""
        signature: bytes = self._secret_key.sign(data)
        return signature

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


def is_signed(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Returns whether a signature of ``data`` was made with the private half of a public key of 32 bytes."""
    from cryptography.exceptions import InvalidSignature

    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def thumbprint(public_key: str) -> str:
    """Returns the name of a public key: base64url of SHA-256 over its needed fields in their order (RFC 7638)."""
    text = f'{{"crv":"Ed25519","kty":"OKP","x":"{public_key}"}}'
    return encoded(hashlib.sha256(text.encode()).digest())


def jwk(kid: str, public_key: str) -> PublicKey:
    """Returns a public key as a JSON Web Key."""
    return PublicKey(kid=kid, x=public_key)


def require_signatures() -> None:
    """Raises SignaturesMissing where the package is not installed."""
    _ed25519()


async def load_signatures() -> None:
    """Loads the package in a thread, which takes a while the first time. Raises SignaturesMissing."""
    await asyncio.to_thread(require_signatures)


def _ed25519() -> ModuleType:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ModuleNotFoundError as error:
        raise SignaturesMissing(
            f"receipts need the package {(error.name or 'cryptography').partition('.')[0]} where Grapevine runs: "
            "pip install 'grapevine-share[signatures]'"
        ) from None
    return ed25519
