"""A server process leaves nothing of a destroyed salt in any of its files, also when it was killed in between."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Final

from grapevine.store.sqlite.files import database_files
from tests.support.server_process import PATIENCE_SECONDS, Installation

SALT: Final = "5a1755a1755a17551755a1755a1755a1"


def files_with_salt(installation: Installation) -> list[str]:
    files = (file for file in database_files(installation.database) if file.exists())
    return [file.name for file in files if SALT.encode() in file.read_bytes()]


def test_salts_are_in_no_file(installation: Installation) -> None:
    with closing(sqlite3.connect(installation.database)) as connection:
        connection.execute("INSERT INTO salts VALUES ('visitor', 1, ?)", (SALT,))
        connection.commit()
        # Destroyed, and then killed: the log of the dead process still has it.
        connection.execute("DELETE FROM salts WHERE value = ?", (SALT,))
        connection.commit()
        assert files_with_salt(installation)  # or the test could not fail
        with installation.serving() as server:
            until = time.monotonic() + PATIENCE_SECONDS
            while files_with_salt(installation):
                assert time.monotonic() < until
                time.sleep(0.05)
            assert server.end().status == 0
    assert files_with_salt(installation) == []
