"""The examples of README and docs/client.md run against a server process; the reference is what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.support import client_reference
from tests.support.grapevine_process import ORIGIN, CommandRunner, browser

ROOT: Final = Path(__file__).resolve().parents[2]
EXAMPLE: Final = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples() -> list[str]:
    """Every block of Python in the documents that uses the client."""
    texts = [(ROOT / page).read_text("utf-8") for page in ("README.md", "docs/client.md")]
    return [block for text in texts for block in EXAMPLE.findall(text) if "grapevine.client" in block]


def test_the_reference_is_what_the_code_says() -> None:
    """`python -m tests.support.client_reference` writes it."""
    assert client_reference.in_page() == client_reference.rendered()


@pytest.fixture
def machine(tmp_path: Path) -> CommandRunner:
    return CommandRunner(tmp_path)


def test_the_examples_run(machine: CommandRunner, capsys: pytest.CaptureFixture[str]) -> None:
    added = json.loads(machine.run("site", "add", "Lees", "--origin", ORIGIN).stdout)
    with machine.serving() as (_, url), browser(url) as http:
        visit = {"site": added["site"], "url": f"{ORIGIN}/bread", "channels": ["copy"]}
        first = http.post("/v1/visits", json=visit | {"nonce": "0" * 20}).json()
        token = first["tokens"]["copy"]
        http.post("/v1/visits", json=visit | {"nonce": "1" * 20, "token": token}).raise_for_status()
        assert len(examples()) == 6
        said = []
        for example in examples():
            program = (
                example.replace("https://share.example.com", url)
                .replace("TOKEN", token)
                .replace("VISIT", first["visit"])
            )
            assert '"KEY"' in program
            exec(compile(program.replace('"KEY"', repr(added["key"])), "example", "exec"), {"__name__": "__main__"})  # noqa: S102
            said.append(capsys.readouterr().out.splitlines())
    assert said[0] == [f"2 visits grew from {ORIGIN}/bread"]
    assert said[1][:2] == ["1 visits came through a share", f"2 {ORIGIN}/bread"]
    assert said[2][0] == "0.5 None"
    assert said[3] == ["1 orders and other goals in 30 days"]
    assert said[4] == ["1"]
    assert said[5][0].startswith("start LiveStart(")
