"""The command ``conversions import``: a CSV is checked line by line, then stored, and a second run changes nothing."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grapevine.conversion_files import csv_file, csv_import
from tests.cli.terminal import Output, Terminal

HEADER = "goal,id,value,currency,at,visit,token,external_id,refund_of"
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str | bytes, name: str = "deals.csv") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write_file


def rows(run: Terminal) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(run.settings.database.removeprefix("sqlite:///"))) as file:
        return file.execute(
            "SELECT goal, external_id, value, currency, reported_by, refund_of FROM conversions ORDER BY external_id"
        ).fetchall()


def numbers(done: Output) -> tuple[int, ...]:
    return tuple(done.json[name] for name in ("lines", "conversions", "refunds", "repeats", "wrong"))


def bring(run: Terminal, site: str, path: str, *more: str) -> Output:
    return run("conversions", "import", site, path, *more)


def test_lines_name_visits_tokens_and_people_and_a_second_run_changes_nothing(run: Terminal, write: Write) -> None:
    site = run.add_site()
    link = json.loads(
        run("links", "create", site, "https://a.example/page", "--external-id", "ann@example.org", "--json").out
    )
    first, second = run.chain(site, 2, through=link["token"])
    path = write(
        "\ufeff" + HEADER + "\r\n"
        "order,R-1,-9.50,EUR,,,,,A-1\r\n"
        f"order,A-1,49.50,eur,,{first['visit']},,,\r\n"
        f'order,"A,2",10,USD,,,{first["tokens"]["copy"]},,\r\n'
        "\r\n"
        "order,A-3,,,,,,ann@example.org,\r\n"
        f"order,A-4,7,JPY,,,{second['session']},,\r\n"
    )
    assert numbers(bring(run, site, path, "--dry-run", "--json")) == (5, 0, 0, 0, 0)
    assert rows(run) == []
    done = bring(run, site, path, "--json")
    assert (done.status, numbers(done)) == (0, (5, 4, 1, 0, 0)), done
    expected = [
        ("order", "A,2", 10_000_000, "USD", 1, None),
        ("order", "A-1", 49_500_000, "EUR", 1, None),
        ("order", "A-3", None, None, 1, None),
        ("order", "A-4", 7_000_000, "JPY", 1, None),
        ("order", "R-1", -9_500_000, "EUR", 1, "A-1"),
    ]
    assert rows(run) == expected
    assert numbers(bring(run, site, path, "--json")) == (5, 0, 0, 5, 0)
    assert rows(run) == expected
    assert "5 counted before" in bring(run, site, path).out
    assert run("doctor", "--json").status == 0


def test_each_fault_is_named_with_its_line_and_nothing_is_stored(run: Terminal, write: Write, tmp_path: Path) -> None:
    site = run.add_site()
    (first,) = run.chain(site, 1)
    visit = first["visit"]
    faults = [
        (f"order,,1.00,EUR,,{visit},,,", "id", "is empty, and every line needs one"),
        (f'order,1,"1.234,50",EUR,,{visit},,,', "value", "has a decimal comma; write 1234.50"),
        (f"order,2,$5,EUR,,{visit},,,", "value", "must be digits with a point"),
        (f"order,3,1e3,EUR,,{visit},,,", "value", "must be digits with a point"),
        (f"order,4,-5,EUR,,{visit},,,", "value", "must be a decimal number from 0"),
        (f"order,5,5,Euro,,{visit},,,", "currency", "must be a current code"),
        (f"order,6,5,EUR,2026-11-01 10:00,{visit},,,", "at", "has no time zone"),
        (f"order,7,5,EUR,01.11.2026,{visit},,,", "at", "must be a time of RFC 3339"),
        (f"order,8,5,EUR,2199-01-01T00:00:00Z,{visit},,,", "at", "must not be in the future"),
        (f"order,9,5,EUR,2020-01-02T00:00:00Z,{visit},,,", "at", "is before the visit began"),
        ("order,10,5,EUR,,,,,", "visit", "or `token` or `external_id` is needed"),
        (f"order,11,5,EUR,,{visit},x,,", "visit", "or `token` or `external_id` is needed"),
        ("order,12,5,EUR,,00000000001,,,", "visit", "names a visit that is not here"),
        ("order,13,5,EUR,,,zzzzzzzzzzzzzzzzzzzzzzz,,", "token", "is not a token of this site"),
        ("order,14,5,EUR,,,,nobody@example.org,", "external_id", "is on none of this site's minted links"),
        ("order,15,-5,EUR,,,,,A-9", "refund_of", "is the id of no conversion of this goal"),
        ("order,16,-50,EUR,,,,,A-1", "value", "takes back more than is left of the conversion, 49.00 EUR"),
        ("order,17,-5,USD,,,,,A-1", "currency", "must be EUR"),
        ("order,18,5", "", "has 3 cells, and the first line names 9 columns"),
    ]
    good = f"order,A-1,49,EUR,,{visit},,,"
    path = write("\n".join([HEADER, good, *(line for line, *_ in faults)]) + "\n")
    rejects = tmp_path / "wrong.csv"
    done = bring(run, site, path, "--json", "--rejects", str(rejects))
    assert (done.status, numbers(done)) == (1, (20, 0, 0, 0, 19)), done
    assert rows(run) == []
    found = [(each["line"], each["column"]) for each in done.json["faults"]]
    assert found == [(number, column) for number, (_, column, _) in enumerate(faults, start=3)]
    for each, (_, _, said) in zip(done.json["faults"], faults, strict=True):
        assert each["problem"].startswith(said), each
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["id"] for row in written] == [line.split(",")[1] for line, *_ in faults]
    assert written[1]["problem"] == "`value` has a decimal comma; write 1234.50"
    shown = bring(run, site, path)
    assert "Line 4: `value` has a decimal comma; write 1234.50 ('1.234,50')" in shown.out
    assert "Nothing was stored: put the wrong lines right, or store the others with --skip-bad." in shown.out
    assert bring(run, site, path, "--rejects", str(rejects)).status != 0  # it is there
    skipped = bring(run, site, path, "--skip-bad", "--json")
    assert (skipped.status, numbers(skipped)) == (0, (20, 1, 0, 0, 19))
    assert [row[1] for row in rows(run)] == ["A-1"]


def test_times_of_a_zone(run: Terminal, write: Write) -> None:
    site = run.add_site()
    (first,) = run.chain(site, 1)
    with closing(sqlite3.connect(run.settings.database.removeprefix("sqlite:///"))) as file:
        ((began,),) = file.execute("SELECT at FROM visits").fetchall()

    day = datetime.fromtimestamp(began / 1000, UTC).date().isoformat()
    path = write(f"goal;id;at;visit\norder;1;{day};{first['visit']}\n")
    refused = bring(run, site, path)
    assert (refused.status, "has no time zone" in refused.out) == (1, True)
    assert bring(run, site, path, "--timezone", "Mars/Base").err.count("is no time zone") == 1
    done = bring(run, site, path, "--timezone", "UTC", "--json")
    assert (done.status, numbers(done)) == (0, (1, 1, 0, 0, 0)), done
    with closing(sqlite3.connect(run.settings.database.removeprefix("sqlite:///"))) as file:
        ((at,),) = file.execute("SELECT at FROM conversions").fetchall()
    assert began <= at <= began + 86_400_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("goal,id,valeu,visit\n", "has the column 'valeu', which is unknown here; did you mean value?"),
        ("goal,id,E-Mail,visit\n", "has the column 'e-mail', which is unknown here."),
        ("goal,value,visit\n", "needs the column id: the `id` keeps a line from counting twice"),
        ("goal,id,value\n", "needs a column that names the visit"),
        ("goal,id,id,visit\n", "has the column id more than once"),
        ("goal,id,visit\n", "The file has no line behind the names of its columns"),
        ("", "has no line with the names of its columns"),
        (HEADER.encode("utf-16"), "is not in UTF-8"),
        (b"goal,id,visit\norder,\xff,x\n", "is not in UTF-8"),
        ('goal,id,visit\norder,"1,x\n' + "y\n" * 10, "a quote is opened and never closed"),
        ('goal,id,visit\norder,"1"2,x\n', "a quote is closed in the midst of a cell"),
        ("goal,id,visit\norder," + "9" * 200_000 + ",x\n", "it is longer than 131,072 characters"),
        ('goal,id,visit\norder,"' + ("9" * 60_000 + "\n") * 4 + '",x\n', "a cell is longer than 131,072 characters"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(
    run: Terminal, write: Write, content: str | bytes, said: str
) -> None:
    site = run.add_site()
    done = bring(run, site, write(content))
    assert (done.status, said in done.err) == (2, True), done.err
    assert rows(run) == []


def test_a_file_that_is_not_there(run: Terminal, tmp_path: Path) -> None:
    site = run.add_site()
    for name, said in (("missing.csv", "there is no such file"), ("", "so it must be a file")):
        done = bring(run, site, str(tmp_path / name))
        assert (done.status, "cannot be read" in done.err, said in done.err) == (2, True, True), done.err


def test_too_many_wrong_lines_end_it(run: Terminal, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_import, "MOST_FAULTY", 5)
    site = run.add_site()
    done = bring(run, site, write("goal,id,visit\n" + "order,1,x\n" * 9), "--skip-bad")
    assert (done.status, "More than 5 lines are wrong, and nothing was stored" in done.err) == (2, True), done.err


def test_a_huge_file_is_read_a_line_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    path.write_text("goal,id,visit\n" + "order,1,x\n" * 50_000)
    seen: list[int] = []
    file = csv_file.ConversionFile(path)
    assert sum(1 for _ in file.lines(seen.append)) == 50_000
    assert seen[-1] == file.size


@pytest.mark.parametrize("more", ["", "order,A-3,1,EUR,,{visit},,,\n"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    run: Terminal, write: Write, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    site = run.add_site()
    (first,) = run.chain(site, 1)
    lines = HEADER + f"\norder,A-1,1,EUR,,{first['visit']},,,\norder,A-2,2,EUR,,{first['visit']},,,\n"
    path = write(lines)
    checked = csv_import.ConversionImport.check

    async def change(importing: csv_import.ConversionImport, *given: Any) -> None:
        await checked(importing, *given)
        write(lines.replace("A-2", "B-2") + more.format(visit=first["visit"]))

    monkeypatch.setattr(csv_import.ConversionImport, "check", change)
    done = bring(run, site, path)
    assert done.status == 2, done
    assert "was changed while it was read" in done.err
    assert "Traceback" not in done.err
    assert rows(run) == []
