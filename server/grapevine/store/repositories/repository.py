"""The base of all repositories."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from grapevine.store.query_runner import Runner


class Repository:
    """Few rows, read and changed by their owners. ``reader`` runs queries; ``transaction`` opens one
    in which a change happens whole or not at all."""

    def __init__(self, reader: Runner, transaction: Callable[[], AbstractAsyncContextManager[Runner]]) -> None:
        self._read = reader.run
        self._transaction = transaction
