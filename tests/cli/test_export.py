"""``grapevine export`` as people run it: into files, pipes and terminals."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
import pytest

from grapevine.cli import main
from grapevine.domain import ids

pytestmark = pytest.mark.process

DAY: Final = ids.day_number(ids.day_date(2_500))
VISITS: Final = 20_000
WITHOUT_PYARROW: Final = (
    "import sys; sys.modules['pyarrow'] = None; from grapevine.cli import main; sys.exit(main(sys.argv[1:]))"
)


class ExportTerminal:
    """A database with many visits of a site on ten days, and processes that work on it."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._environment = os.environ | {"GRAPEVINE_DATABASE": f"sqlite:///{folder}/grapevine.sqlite3"}
        monkeypatch.setenv("GRAPEVINE_DATABASE", self._environment["GRAPEVINE_DATABASE"])
        assert main(["site", "add", "Lees", "--origin", "https://a.example"]) == 0
        self.site: str = json.loads(capture.readouterr().out)["site"]
        rows = (
            (1, ids.pack(DAY + number // 2_000, number % 4096, number), number % 4096, 0,
             ids.day_start(DAY + number // 2_000) + number, 2, 7, 9, 1, *(None,) * 7, 0, 0, None, None, None, 0)
            for number in range(VISITS)
        )  # fmt: skip
        with closing(sqlite3.connect(folder / "grapevine.sqlite3")) as connection, connection:
            connection.executemany(f"INSERT INTO visits VALUES ({', '.join('?' * 22)})", rows)
            connection.execute("INSERT INTO pages VALUES (1, 7, 7, ?, 'https://a.example/', ?)", (DAY, "=1+1, \u00e4"))

    def start(self, *arguments: str, out: int, code: str | None = None) -> subprocess.Popen[bytes]:
        """The command in a process of its own, its output somewhere."""
        how = ["-c", code] if code else ["-m", "grapevine"]
        command = [sys.executable, *how, "export", self.site, *arguments]
        return subprocess.Popen(  # noqa: S603
            command, stdout=out, stderr=subprocess.PIPE, env=self._environment
        )

    def run(self, *arguments: str, code: str | None = None) -> tuple[int, bytes, str]:
        """(status, output, errors) of a process whose output is read to its end."""
        with self.start(*arguments, out=subprocess.PIPE, code=code) as process:
            out, errors = process.communicate(timeout=120)
        return process.returncode, out, errors.decode()


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> ExportTerminal:
    return ExportTerminal(tmp_path, capsys, monkeypatch)


def test_lines_into_a_pipe(terminal: ExportTerminal) -> None:
    first, last = ids.day_date(DAY + 1).isoformat(), ids.day_date(DAY + 2).isoformat()
    status, out, errors = terminal.run("visits", "--from", first, "--to", last)
    assert (status, errors) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == len({line["visit"] for line in found}) == 4_000
    assert {line["at"][:10] for line in found} == {first, last}
    assert {line["title"] for line in found} == {"=1+1, ä"}
    assert terminal.run("visits", "--from", first, "--to", last, "--json") == (0, out, "")


def test_csv_and_parquet_into_files(terminal: ExportTerminal, tmp_path: Path) -> None:
    for name in ("csv", "parquet"):
        with (tmp_path / f"visits.{name}").open("wb") as file:
            process = terminal.start("visits", "--format", name, out=file.fileno())
            assert process.communicate(timeout=120)[1] == b""
            assert process.returncode == 0
    text = (tmp_path / "visits.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == pq.read_table(tmp_path / "visits.parquet").num_rows == VISITS
    assert rows[0]["title"] == "'=1+1, ä"
    header = b"visit,at,text,contact,verdict,id,class,class_by,channel,by\r\n"
    assert terminal.run("answers", "--format", "csv") == (0, b"\xef\xbb\xbf" + header, "")
    assert terminal.run("answers", "--format", "csv", "--no-bom") == (0, header, "")


def test_a_closed_pipe_ends_it_quietly(terminal: ExportTerminal) -> None:
    for name in ("ndjson", "csv", "parquet"):
        reading, writing = os.pipe()
        process = terminal.start("visits", "--format", name, out=writing)
        os.close(writing)
        assert os.read(reading, 10)
        os.close(reading)
        errors = process.communicate(timeout=120)[1]
        assert errors == b""
        assert process.returncode in (0, 1)  # 0 when all of it went into the pipe before


def test_a_terminal_is_shown_lines_but_no_parquet(terminal: ExportTerminal) -> None:
    ours, theirs = pty.openpty()
    process = terminal.start("visits", "--format", "parquet", out=theirs)
    errors = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 2
    assert errors == (
        "grapevine: Parquet is a binary format; redirect it into a file, for instance: "
        f"grapevine export {terminal.site} visits --format parquet > visits.parquet\n"
    )
    process = terminal.start("answers", "--format", "csv", out=theirs)
    assert process.communicate(timeout=120)[1] == b""
    assert os.read(ours, 1_000).startswith(b"\xef\xbb\xbfvisit,at,")
    for end in (ours, theirs):
        os.close(end)


def test_without_its_package_parquet_says_what_to_install(terminal: ExportTerminal) -> None:
    status, out, errors = terminal.run("visits", "--format", "parquet", code=WITHOUT_PYARROW)
    assert (status, out) == (2, b"")
    assert errors == (
        "grapevine: `format` parquet needs the package pyarrow where Grapevine runs: pip install "
        "'grapevine-share[parquet]'.\n"
    )
    assert terminal.run("answers", "--format", "csv", code=WITHOUT_PYARROW)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("guards",), "invalid choice: 'guards'"),
        (("visits", "--format", "xlsx"), "invalid choice: 'xlsx'"),
        (("visits", "--from", "yesterday"), "is no date"),
        (("visits", "--from", "2026-11-02", "--to", "2026-11-01"), "`from` must not be after `to`."),
    ],
)
def test_wrong_usage(terminal: ExportTerminal, arguments: tuple[str, ...], says: str) -> None:
    status, out, errors = terminal.run(*arguments)
    assert (status, out) == (2, b"")
    assert says in errors


def test_a_site_that_is_not_there(terminal: ExportTerminal) -> None:
    terminal.site = "nobody"
    status, out, errors = terminal.run("visits")
    assert (status, out) == (1, b"")
    assert "nobody" in errors
