"""The fixtures of a whole server in this process."""

from tests.support.in_process_server import database, server

__all__ = ["database", "server"]
