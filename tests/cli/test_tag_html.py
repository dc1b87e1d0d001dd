"""The command ``links tag-html``."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import pytest

from grapevine.cli.tag_html import FILE_COLUMN, TOKEN_COLUMN
from grapevine.errors import StoreError
from grapevine.links.mail import recipient_links
from grapevine.links.mail.recipient_links import AT_ONCE
from grapevine.links.minting import mint
from grapevine.store.repositories.links import LinkRow
from tests.cli.terminal import ORIGIN, Terminal

MAIL = f'<a href="{ORIGIN}/spring?a=1&amp;b=2#c">Spring</a>\r\n<a href="https://other.example/">x</a>\r\n'


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    path = tmp_path / "mail.html"
    path.write_bytes(MAIL.encode())
    return path


def rows(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def count(run: Terminal, site: str) -> int:
    return len(run("links", "list", site, "--limit", "5000", "--json").json)


def test_a_mail_gets_one_link(run: Terminal, mail: Path, tmp_path: Path) -> None:
    site = run.add_site()
    done = run("links", "tag-html", site, str(mail), "--label", "Spring ", "--campaign", "May", "--external-id", " 7")
    (link,) = run("links", "list", site, "--campaign", "May", "--json").json
    token = link["token"]
    assert done.status == 0
    assert done.out == MAIL.replace("&amp;b=2", f"&amp;b=2&amp;gv={token}")
    assert done.err.splitlines() == [
        f"1 link tagged with {token}.",
        "Left as they are: 1 to other sites or to no page.",
        f'What it brings: grapevine links list "{site}" --campaign "May"',
    ]
    assert (link["channel"], link["label"], link["external_id"], link["page"]) == (
        "email", "Spring", "7", f"{ORIGIN}/spring?a=1&b=2",
    )  # fmt: skip

    again = tmp_path / "tagged.html"
    named = ("--label", "Spring", "--campaign", "May", "--external-id", "7", "--output", str(again))
    report = run("links", "tag-html", site, str(mail), *named, "--json").json
    assert (report["token"], report.get("made", 0), report["links"]) == (token, 0, 1)
    assert again.read_bytes() == done.out.encode()
    same = run("links", "tag-html", site, str(again), "--output", str(tmp_path / "same.html"))
    assert same.err.startswith("Each link to the site carries a token already; nothing was changed.\n")
    assert (tmp_path / "same.html").read_bytes() == again.read_bytes()
    assert count(run, site) == 1
    assert run("links", "tag-html", site, str(mail), "--campaign", "May").status == 0
    assert count(run, site) == 2, "another label or external id is another link"


def test_each_recipient_gets_a_link(run: Terminal, mail: Path, tmp_path: Path) -> None:
    site = run.add_site()
    people, folder = tmp_path / "people.csv", tmp_path / "out" / "mails"
    folder.mkdir(parents=True)
    people.write_bytes(
        "\ufeffName;E-Mail \r\nAnn;ann@mail.example\r\n\"Bob; jr\"; bob/1\r\nNo one;\r\n\r\n"
        "Ann again;ann@mail.example\r\nZoë;ANN@mail.example\r\nShort\r\n".encode()
    )  # fmt: skip
    command = (
        "links", "tag-html", site, str(mail), "--campaign", "May", "--recipients", str(people),
        "--column", "e-mail", "--output", str(folder),
    )  # fmt: skip
    done = run(*command, "--json")
    assert (done.status, done.err) == (0, "")
    report = done.json
    assert [report[name] for name in ("links", "recipients", "made", "without_recipient", "written")] == [
        1, 4, 3, 2, str(folder),
    ]  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    content = (folder / "people.csv").read_bytes()
    assert content.startswith(f"\ufeffName;E-Mail ;{TOKEN_COLUMN};{FILE_COLUMN}\r\nAnn;ann@mail.example;".encode())
    listed = rows(folder / "people.csv", ";", "utf-8-sig")
    assert [row["Name"] for row in listed] == ["Ann", "Bob; jr", "No one", "Ann again", "Zoë", "Short"]
    first, bob, nobody, again, loud, short = listed
    assert first[FILE_COLUMN] == again[FILE_COLUMN] == "ann@mail.example.html"
    assert first[TOKEN_COLUMN] == again[TOKEN_COLUMN]
    assert bob[FILE_COLUMN] == f"{bob[TOKEN_COLUMN]}.html"
    assert loud[FILE_COLUMN] == f"{loud[TOKEN_COLUMN]}.html", "a file of that name is another recipient's on some disks"
    assert nobody[TOKEN_COLUMN] == short[TOKEN_COLUMN] == nobody[FILE_COLUMN] == ""
    for row in (first, bob, loud):
        tagged = (folder / row[FILE_COLUMN]).read_bytes().decode()
        assert tagged == MAIL.replace("&amp;b=2", f"&amp;b=2&amp;gv={row[TOKEN_COLUMN]}")
    links = run("links", "list", site, "--campaign", "May", "--json").json
    assert {link["external_id"]: link["token"] for link in links} == {
        "ann@mail.example": first[TOKEN_COLUMN], "bob/1": bob[TOKEN_COLUMN], "ANN@mail.example": loud[TOKEN_COLUMN],
    }  # fmt: skip

    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    people.write_bytes(people.read_bytes() + b"Eve;eve\r\n")
    more = run(*command)
    assert more.err.startswith(
        "1 link of the mail tagged for 5 rows with a recipient: 1 link made, 4 there already or given twice.\n"
    )
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after.keys() - before.keys() == {"eve.html"}
    assert after["people.csv"].startswith(before["people.csv"])
    assert {name: after[name] for name in before if name != "people.csv"} == {
        name: content for name, content in before.items() if name != "people.csv"
    }


@pytest.mark.parametrize("number", [1_200, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_merge_field_and_a_long_list(run: Terminal, mail: Path, tmp_path: Path, number: int) -> None:
    site = run.add_site()
    people, folder = tmp_path / "people.csv", tmp_path / "out"
    people.write_text("id,name\n" + "".join(f"{each},x\n" for each in range(number)))
    command = (
        "links", "tag-html", site, str(mail), "--campaign", "May", "--recipients", str(people), "--column", "id",
        "--merge-field", "*|GV|*", "--output", str(folder),
    )  # fmt: skip
    assert run(*command, "--json").json["made"] == number
    assert (folder / "mail.html").read_bytes().decode() == MAIL.replace("&amp;b=2", "&amp;b=2&amp;gv=*|GV|*")
    listed = (folder / "people.csv").read_bytes()
    tokens = {row["id"]: row[TOKEN_COLUMN] for row in rows(folder / "people.csv")}
    assert len(set(tokens.values())) == number
    assert run("token", "inspect", tokens[str(number - 1)], "--json").json["channel"] == "email"
    people.write_bytes(listed)
    assert run(*command, "--json").json.get("made", 0) == 0
    assert (folder / "people.csv").read_bytes() == listed, "the column is written over, and no link is made"


def test_a_run_that_was_stopped_goes_on(
    run: Terminal, mail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, folder, people = run.add_site(), tmp_path / "out", tmp_path / "people.csv"
    people.write_text("id\n" + "".join(f"{each}\n" for each in range(AT_ONCE + 500)))
    command = (
        "links", "tag-html", site, str(mail), "--campaign", "May", "--recipients", str(people), "--column", "id",
        "--merge-field", "*|GV|*", "--output", str(folder),
    )  # fmt: skip

    async def mint_whole_bulks(*arguments: Any) -> list[LinkRow]:
        if len(arguments[3]) < AT_ONCE:
            raise StoreError("the disk is full")
        return await mint(*arguments)

    with monkeypatch.context() as with_a_small_disk:
        with_a_small_disk.setattr(recipient_links, "mint", mint_whole_bulks)
        stopped = run(*command)
    assert (stopped.status, stopped.out) == (1, "")
    assert "the disk is full" in stopped.err
    assert count(run, site) == AT_ONCE
    assert run(*command, "--json").json["made"] == 500
    assert count(run, site) == AT_ONCE + 500
    assert all(row[TOKEN_COLUMN] for row in rows(folder / "people.csv"))


def test_what_cannot_be_tagged(run: Terminal, mail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = run.add_site()
    files = {
        "empty.html": b"", "foreign.html": b'<a href="https://other.example/">', "large.html": b"x" * ((1 << 20) + 1),
        "printable.html": f'<a href=3D"{ORIGIN}/">'.encode(), "many.html": f'<a href="{ORIGIN}">'.encode() * 201,
        "people.csv": b"id,name\n1,x\n", "latin.csv": "id,name\n1,é\n".encode("latin-1"), "none.csv": b"id\n",
        "long.csv": b"id\n" + b"x" * 201 + b"\n2\n" + b"a\x01\n", "wide.csv": b"a;b\n1;2\n",
        "tagged.html": f'<a href="{ORIGIN}/#gv-*|GV|*">'.encode(),
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    def to(name: str, *more: str) -> tuple[str, ...]:
        listed = ("--recipients", str(tmp_path / name)) if name else ()
        return (str(mail), *listed, *more)

    whole = ("--column", "id", "--campaign", "May", "--output", str(tmp_path / "out"))
    for arguments, status, says in [
        ((str(tmp_path / "foreign.html"),), 1, f"has no link to this site ({ORIGIN})."),
        ((str(tmp_path / "empty.html"),), 1, "has no link to this site"),
        ((str(tmp_path / "printable.html"),), 1, "It is quoted-printable: save the mail decoded."),
        ((str(tmp_path / "many.html"),), 2, "has more than 200 links to this site."),
        ((str(tmp_path / "large.html"),), 2, "has more than 1,048,576 bytes"),
        ((str(tmp_path / "nothing.html"),), 2, "nothing.html cannot be read: No such file or directory."),
        (to("", "--column", "id"), 2, "--column and --merge-field go with --recipients FILE.csv."),
        (to("", "--json"), 2, "Name the file to write with --output FILE"),
        (to("people.csv"), 2, "--recipients needs --column too"),
        (to("people.csv", "--column", "id"), 2, "--recipients needs --campaign too"),
        (to("people.csv", "--column", "id", "--campaign", "May"), 2, "--recipients needs --output too"),
        (to("people.csv", *whole, "--external-id", "1"), 2, "--external-id is for one mail"),
        (to("people.csv", *whole, "--merge-field", 'a"b'), 2, "--merge-field must be what your mailing program"),
        (to("people.csv", *whole, "--merge-field", "token"), 2, "--merge-field must be what"),
        (to("people.csv", *whole[:-1], str(tmp_path)), 2, "holds the mail or the list"),
        (to("people.csv", *whole[:-1], str(mail)), 1, "cannot be written"),
        (to("wide.csv", *whole), 2, "wide.csv has no column named id; its columns are: a, b."),
        (to("latin.csv", *whole), 2, "latin.csv is not in UTF-8. In a spreadsheet, save it as “CSV UTF-8”."),
        (to("none.csv", *whole), 2, "none.csv has no row behind the names of its columns."),
        (to("long.csv", *whole), 2, "long.csv: line 2, line 4: what tells recipients apart must be 1 to 200"),
        (to("nowhere.csv", *whole), 2, "nowhere.csv cannot be read: No such file or directory."),
        ((str(tmp_path / "tagged.html"), *to("people.csv", *whole)[1:]), 1, "has no link to tag: all 1 have a token"),
    ]:  # fmt: skip
        done = run("links", "tag-html", site, *arguments)
        assert (done.status, done.out) == (status, ""), (arguments, done)
        assert says in done.err.replace("\n", " "), (arguments, done)
    with monkeypatch.context() as on_a_terminal:
        on_a_terminal.setattr(sys.stdout, "isatty", lambda: True)
        assert run("links", "tag-html", site, str(mail)).status == 2
    assert not (tmp_path / "out").exists()
    assert run("links", "list", site, "--json").json == []
