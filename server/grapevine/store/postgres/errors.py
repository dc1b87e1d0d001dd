"""Maps asyncpg's exceptions to the product's own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from grapevine.config.settings import redacted_url
from grapevine.errors import Interrupted, StoreError

_PASSING: Final = ("08", "25006", "40", "53", "55P03", "57P")
"""SQLSTATEs (PostgreSQL manual, appendix A) of transient failures: a lost connection, a server that became a standby, a
serialization failure or deadlock, no room or connections left, a lock timeout, a server that starts or stops."""
_CONFLICT: Final = ("25006", "40", "53", "55P03")
"""Transient failures that do not mean that a part of the database is away."""
_UNUSABLE: Final = ("0A", "25", "28", "3D", "55", "57", "58", "F0")
"""SQLSTATEs of faults in the database or the connection to it, as opposed to the statement."""
_INTERNAL: Final = "XX000"
"""The SQLSTATE that Citus reports when a worker is away."""


def is_unresponsive(error: BaseException) -> bool:
    """Whether the connection on which this was raised is useless by now, even for a rollback."""
    return not isinstance(error, Exception) or isinstance(
        error, OSError | TimeoutError | asyncpg.ReadOnlySQLTransactionError
    )


@contextmanager
def map_errors(url: str, *, citus: bool = False) -> Iterator[None]:
    """Raises Interrupted for transient failures and StoreError for a database that cannot be used.

    Errors in a statement or its values pass unchanged.
    """
    try:
        yield
    except (OSError, TimeoutError) as error:  # no connection; no answer in time
        raise Interrupted(f"{shown(url)} cannot be reached: {str(error) or 'no answer in time'}") from error
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if state.startswith(_PASSING) or (citus and state == _INTERNAL):
            raise Interrupted(
                f"{shown(url)}: {error} ({state})", is_partial=citus and is_partial_outage(error)
            ) from error
        if state.startswith(_UNUSABLE):
            raise StoreError(f"{shown(url)} cannot be used: {error} ({state})") from error
        raise
    except asyncpg.DataError:  # an InterfaceError too, but of a value
        raise
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:  # the connection was closed meanwhile
        raise Interrupted(f"{shown(url)}: {error}") from error


def is_partial_outage(error: asyncpg.PostgresError) -> bool:
    """Whether Citus reports that one of its workers is away: an ERROR, while a lost connection of our own is FATAL."""
    state = error.sqlstate or ""
    away = state == _INTERNAL or (state.startswith(_PASSING) and not state.startswith(_CONFLICT))
    return away and bool(error.severity_en == "ERROR")


def shown(url: str) -> str:
    """Returns the database's name for messages: its URL without a password."""
    return f"the database {redacted_url(url)}"
