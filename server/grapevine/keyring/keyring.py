"""The secret keys of a running process, and whether a database knows them."""

from __future__ import annotations

from collections.abc import Sequence

from grapevine.errors import SettingError
from grapevine.keyring.derivation import fingerprint
from grapevine.keyring.encryption import is_sealed, key_name, seal, unseal
from grapevine.store.repositories.fingerprints import KnownKey


class KeyRing:
    """The keys of a process: all of them are accepted, the last one signs."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.keys = tuple(keys)

    def fingerprints(self) -> list[str]:
        """Returns the fingerprints of the keys, in their order."""
        return [fingerprint(key) for key in self.keys]

    def seal(self, text: str, place: str) -> str:
        """Returns ``text`` encrypted under the key that signs; it can be opened as that of the same ``place`` only."""
        return seal(text, self.keys[-1], place)

    def unseal(self, text: str, place: str) -> str:
        """Returns a sealed text, or a plain one of a version that did not seal. Raises SealError."""
        return unseal(text, self.keys, place) if is_sealed(text) else text

    def is_current(self, text: str) -> bool:
        """Returns whether ``text`` is sealed under the key that signs."""
        return is_sealed(text) and key_name(text) == fingerprint(self.keys[-1])


def signing_order(keys: Sequence[bytes], known: Sequence[KnownKey]) -> tuple[bytes, ...]:
    """Returns ``keys`` so that the last one is the one that signs. A database that knows none takes them as they are.

    Raises SettingError when the database does not know one of them, or when one is missing that ever signed: links that
    were shared would be refused, or signed with a key that other processes refuse.
    """
    if not known:
        return tuple(keys)
    rotations = dict(known)
    names = {fingerprint(key): key for key in keys}
    strange = [name for name in names if name not in rotations]
    missing = [name for name, rotation in known if rotation is not None and name not in names]
    if strange or missing:
        raise SettingError(_refusal(strange, missing, known[-1].fingerprint))
    return tuple(sorted(keys, key=lambda key: rotations[fingerprint(key)] or 0))


def _refusal(strange: Sequence[str], missing: Sequence[str], signing: str) -> str:
    """Returns which keys differ, what would happen, and how to go on."""
    wrong = []
    if missing:
        signs = ", which signs," if signing in missing else ""
        wrong.append(f"{_keys(missing)}{signs} {'is' if len(missing) == 1 else 'are'} missing")
    if strange:
        wrong.append(f"{_keys(strange)} {'is' if len(strange) == 1 else 'are'} not known to the database")
    harm = "Links that were shared would be refused, and webhooks not be signed" if missing else "It may be another's"
    return (
        f"secret_keys: they are not those that this database is used with: {' and '.join(wrong)}. {harm}. Put back the "
        "keys of before (the file secret-keys of a backup, or GRAPEVINE_SECRET_KEYS of the other processes); or, to "
        "use these from now on, run: grapevine secret accept"
    )


def _keys(names: Sequence[str]) -> str:
    return f"the key{'' if len(names) == 1 else 's'} {', '.join(names)}"
