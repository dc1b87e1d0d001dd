"""The script of ``grapevine completion`` in a real shell."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from grapevine.cli.completion import SHELLS
from tests.cli.terminal import Terminal


@pytest.mark.process
def test_bash_completes_commands_options_choices_and_files(run: Terminal, tmp_path: Path) -> None:
    (tmp_path / "file.backup").touch()
    script = tmp_path / "completion.bash"
    script.write_text(run("completion", "bash").out)
    cases = {
        "grapevine si": {"site", "simulate"},
        "grapevine site a": {"add"},
        "grapevine site add x --or": {"--origin"},
        "grapevine key add x --scope ": {"read", "write", "admin"},
        "grapevine restore fil": {"file.backup"},
    }
    lines = [
        f"source {shlex.quote(str(script))}",
        "function=$(complete -p grapevine | sed 's/.*-F *//; s/ .*//')",
    ]
    for typed in cases:
        words = typed.split(" ")
        quoted = " ".join(map(shlex.quote, words))
        lines.append(
            f'COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; COMPREPLY=(); $function; echo "${{COMPREPLY[@]}}"'
        )
    done = subprocess.run(  # noqa: S603
        ["/bin/bash", "--norc", "-c", "\n".join(lines)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert [set(line.split()) for line in done.stdout.splitlines()] == list(cases.values())


def test_every_shell_has_a_script(run: Terminal, tmp_path: Path) -> None:
    for shell in SHELLS:
        done = run("completion", shell)
        assert (done.status, done.err) == (0, "")
        assert "grapevine" in done.out
        assert "--origin" in done.out or "origin" in done.out
    assert list(tmp_path.iterdir()) == []
    assert "did you mean bash?" in run("completion", "bsh").err
