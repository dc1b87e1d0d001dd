"""The fixtures of a whole server in this process."""

from tests.support.built_widget import earlier_build as earlier_build
from tests.support.in_process_server import database, server

__all__ = ["database", "server"]
