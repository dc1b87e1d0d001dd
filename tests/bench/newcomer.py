"""From nothing to a chain of three, twice, in a fresh folder, each step timed: on the demo's site as README says, and
on a page of one's own as docs/getting-started.md says.

The commands, the page and the addresses are read out of the documents. Three profiles of a real Chromium do what they
tell their reader to do, and the dashboard is read as a person sees it.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import httpx
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright
from rich.console import Console
from rich.table import Table

from tests.support.browsers import CHROMIUM, DESK, FLAGS, HEADLESS_SHELL, clipboard

_ROOT: Final = Path(__file__).parents[2]
_README: Final = _ROOT / "README.md"
_GUIDE: Final = _ROOT / "docs/getting-started.md"
_SECONDS: Final = 300
_ARRIVED: Final = "() => window.grapevine?.visit"
FIRST_DOWNLOAD, AGAIN_DOWNLOAD = "first download", "second download"
CLONE: Final = "clone the project"
DEMO: Final = "demo: "
"""What the names of the demo's steps begin with."""
_Result = TypeVar("_Result")


class Guide:
    """The document, read the way its reader does."""

    def __init__(self, text: str) -> None:
        parts = re.split(r"^## (?:\d+\. )?(.+)\n", text, flags=re.MULTILINE)[1:]
        self._sections = dict(zip(parts[::2], parts[1::2], strict=True))

    def blocks(self, heading: str, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```", self._sections[heading], re.MULTILINE | re.DOTALL)

    def commands(self, heading: str, beginning: str) -> list[str]:
        """The lines of the blocks in that section that begin so; `$ ` is the prompt."""
        blocks = [block for language in ("sh", "console") for block in self.blocks(heading, language)]
        typed = [block.replace("$ ", "") for block in blocks if block.removeprefix("$ ").startswith(beginning)]
        return [line for block in typed for line in block.splitlines()]


class Newcomer:
    """A person with a home folder that has nothing in it, and with a clock."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.code = folder / "grapevine"
        self.site = folder / "site"
        self.packages = folder / "packages"
        for made in (self.home, self.site):
            made.mkdir()
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("GRAPEVINE_", "XDG_", "PYTHON"))
        }
        # The interpreter that runs this, without its environment: version managers look for theirs in the home folder.
        path = f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self.environ = kept | {"HOME": str(self.home), "PATH": path, "COLUMNS": "100"}
        self.environ.pop("VIRTUAL_ENV", None)
        self.times: dict[str, float] = {}

    def timed(self, step: str, run: Callable[[], _Result]) -> _Result:
        start = time.perf_counter()
        result = run()
        self.times[step] = time.perf_counter() - start
        return result

    def types(self, line: str, folder: Path) -> str:
        """Types a line into a terminal of 100 columns, and returns what is shown there."""
        control, terminal = pty.openpty()
        with self._started(line, folder, terminal) as process:
            os.close(terminal)
            shown = b"".join(iter(lambda: _read(control), b""))
            process.wait(timeout=_SECONDS)
        os.close(control)
        text = shown.decode().replace("\r\n", "\n")
        assert process.returncode == 0, f"{line}\n{text}"
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)

    @contextmanager
    def leaves_open(self, line: str, folder: Path, url: str) -> Iterator[Path]:
        """Types a line whose program goes on, waits until it answers at a URL, and yields the file with its output."""
        shown = self.home / "shown"
        with shown.open("wb") as out, self._started(line, folder, out.fileno()) as process:
            try:
                _wait_for(url, process)
                yield shown
            finally:
                os.killpg(process.pid, signal.SIGTERM)

    def _started(self, line: str, folder: Path, out: int) -> subprocess.Popen[bytes]:
        line = re.sub(r"^grapevine ", "~/grapevine/bin/grapevine ", line)
        return subprocess.Popen(  # noqa: S602
            line,
            shell=True,
            cwd=folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def run() -> None:
    """Prints the seconds of each step."""
    guide = Guide(_GUIDE.read_text("utf-8"))
    with tempfile.TemporaryDirectory(prefix="grapevine-newcomer-") as name, ExitStack() as stack:
        person = Newcomer(Path(name))
        person.timed(CLONE, lambda: person.types(f"git clone -q {_ROOT} {person.code}", person.home))
        _download(person)
        _look_first(person, Guide(_README.read_text("utf-8")))
        _install(person, guide)
        _chain(person, guide, stack)
        files = list(person.packages.iterdir())
        _show(person.times, len(files), sum(file.stat().st_size for file in files))


def _download(person: Newcomer) -> None:
    """Downloads what the installation needs, from nothing and again; then nothing more is downloaded."""
    project = tomllib.loads((person.code / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]

    def download() -> None:
        shutil.rmtree(person.packages, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "-d", str(person.packages)]
        subprocess.run([*command, *wanted], env=person.environ, check=True, capture_output=True)  # noqa: S603

    person.timed(FIRST_DOWNLOAD, download)
    person.timed(AGAIN_DOWNLOAD, download)
    person.environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(person.packages)}


def _look_first(person: Newcomer, readme: Guide) -> None:
    """The demo, as README's lines alone tell it."""
    line, *_ = readme.commands("See it in a minute", "make demo")
    site = "http://127.0.0.1:8001"
    with ExitStack() as stack:
        demo = person.leaves_open(line, person.code, f"{site}/")
        shown = person.timed(f"{DEMO}`{line}`, until it answers", lambda: stack.enter_context(demo))
        playwright = stack.enter_context(sync_playwright())
        reader, root = _share_twice(person, playwright, stack, f"{site}/", DEMO)
        (sign_in,) = re.findall(r"http://\S+/sign-in/\S+", shown.read_text("utf-8"))

        def look() -> None:
            reader.goto(sign_in)
            reader.goto(f"{sign_in.partition('/sign-in')[0]}/cascades?sort=recent")
            _reload_until(reader, lambda: reader.locator(f"main a[href*='{root}']").count() > 0, wanted=True)
            reader.locator(f"main a[href*='{root}']").first.click()
            expect(reader.locator("svg a.dot")).to_have_count(3)

        person.timed(f"{DEMO}open the dashboard, and there the cascade: three visits in a row", look)


def _install(person: Newcomer, guide: Guide) -> None:
    for line in guide.commands("Install", "python3 -m venv"):
        person.timed(line, partial(person.types, line, person.code))
    (version,) = guide.commands("Install", "grapevine --version")
    assert person.types(version, person.home).startswith("grapevine ")


def _chain(person: Newcomer, guide: Guide, stack: ExitStack) -> None:
    part = "Your first chain, without a website"
    (add,) = guide.commands(part, "grapevine site add")
    (serve,) = guide.commands(part, "grapevine serve")
    (pages,) = guide.commands(part, "python3 -m http.server")
    (html,) = guide.blocks(part, "html")
    (origin,) = re.findall(r"--origin (\S+)", add)
    shown = person.timed("add the site", lambda: person.types(add, person.home))
    snippet, key = _printed(shown)
    (home,) = re.findall(r'src="(http://[^/]+)/', snippet)
    person.timed(
        "start the server", lambda: stack.enter_context(person.leaves_open(serve, person.home, f"{home}/readyz"))
    )
    page = re.sub(r"<script.*</script>", lambda _: snippet, html)
    (person.site / "index.html").write_text(page, "utf-8")
    person.timed("serve the page", lambda: stack.enter_context(person.leaves_open(pages, person.site, origin)))
    playwright = stack.enter_context(sync_playwright())
    _walk(person, playwright, stack, origin, home, key)
    for line in [*guide.commands(part, "grapevine stats"), *guide.commands(part, "grapevine doctor")]:
        person.types(line, person.home)


def _printed(shown: str) -> tuple[str, str]:
    """The line to paste and the API key, as a terminal shows them."""
    snippets = re.findall(r"<script.*</script>", shown)
    keys = re.findall(r"\bgv_\w+", shown)
    assert len(snippets) == 1, shown
    assert len(set(keys)) == 1, shown
    return snippets[0], keys[0]


def _share_twice(
    person: Newcomer, playwright: Playwright, stack: ExitStack, url: str, path: str = ""
) -> tuple[Page, str]:
    """Three people, each with a profile of their own, hand a link on. Returns the first one's page, and their visit."""
    folder = person.home / f"profiles{len(path)}"
    profiles = [stack.enter_context(_profile(playwright, folder / str(number))) for number in range(3)]
    reader, friend, third = (profile.pages[0] for profile in profiles)
    person.timed(f"{path}first visit, until the buttons are there", lambda: _open(reader, url))
    first = person.timed(f"{path}copy the link", lambda: _copy_link(reader))
    person.timed(f"{path}second visit, from the copied link", lambda: _open(friend, first))
    second = person.timed(f"{path}copy it again", lambda: _copy_link(friend))
    person.timed(f"{path}third visit", lambda: _open(third, second))
    assert len({first, second, url}) == 3, (first, second)
    return reader, reader.evaluate(_ARRIVED)


def _walk(person: Newcomer, playwright: Playwright, stack: ExitStack, origin: str, home: str, key: str) -> None:
    """The link is shared twice; then the owner looks."""
    reader, _ = _share_twice(person, playwright, stack, origin)

    def look() -> None:
        reader.goto(home)
        reader.get_by_label("API key").fill(key)
        reader.keyboard.press("Enter")
        expect(reader.get_by_role("heading", level=1, name="Overview")).to_be_visible()
        _reload_until(reader, lambda: [_tile(reader, "Visits"), _tile(reader, "Returns")], ["3", "2"])

    person.timed("sign in; the overview says 3 visits, 2 returns", look)

    def look_at_the_tree() -> None:
        reader.goto(f"{home}/cascades")
        reader.locator("main a[href*='/cascades/']").first.click()
        expect(reader.locator("svg a.dot")).to_have_count(3)

    person.timed("the cascade shows three visits in a row", look_at_the_tree)


@contextmanager
def _profile(playwright: Playwright, folder: Path) -> Iterator[BrowserContext]:
    """A browser with a profile on disk. It does not call itself headless: driven browsers stand in no number."""
    path = HEADLESS_SHELL if Path(HEADLESS_SHELL).exists() else CHROMIUM
    context = playwright.chromium.launch_persistent_context(
        folder, executable_path=path, args=list(FLAGS), user_agent=DESK, viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(_SECONDS * 1e3)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    try:
        yield context
    finally:
        context.close()


def _open(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_function(_ARRIVED)
    page.get_by_role("button", name="Copy link").wait_for()
    assert "gv-" not in page.url, page.url


def _copy_link(page: Page) -> str:
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("() => grapevine.url('copy').includes('gv')")
    return clipboard(page)["text/plain"]


def _tile(page: Page, name: str) -> str:
    """The number in the tile of the overview with that name, as it is read there."""
    number = page.locator(".tile", has=page.locator("dt", has_text=re.compile(f"^{name}$"))).locator("b")
    return number.inner_text() if number.count() else ""


def _reload_until(page: Page, read: Callable[[], _Result], wanted: _Result) -> None:
    end = time.monotonic() + 60
    while (found := read()) != wanted:
        assert time.monotonic() < end, found
        page.wait_for_timeout(100)
        page.reload()


def _read(control: int) -> bytes:
    try:
        return os.read(control, 65536)
    except OSError:  # the program has ended
        return b""


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, "a program ended; is its port in use?"
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"{url} never answered")


def _show(times: dict[str, float], files: int, size: int) -> None:
    """Downloads stand apart: they take as long as the connection makes them."""
    first, again = times.pop(FIRST_DOWNLOAD), times.pop(AGAIN_DOWNLOAD)
    clone = times.pop(CLONE)
    demo = {step.removeprefix(DEMO): seconds for step, seconds in times.items() if step.startswith(DEMO)}
    own = {step: seconds for step, seconds in times.items() if not step.startswith(DEMO)}
    table = Table(title="From nothing to a chain of three", title_justify="left")
    table.add_column("step")
    table.add_column("seconds", justify="right")
    for title, steps in (("the demo, by README's lines", demo), ("a page of one's own, by the guide's lines", own)):
        for step, seconds in ({CLONE: clone} | steps).items():
            table.add_row(step, f"{seconds:.1f}")
        table.add_section()
        table.add_row(f"together, {title}, without downloads", f"{clone + sum(steps.values()):.1f}")
        table.add_section()
    table.add_row(f"downloads apart: {files} packages, {size / 1e6:.0f} MB, the first time", f"{first:.1f}")
    table.add_row("the same from pip's cache", f"{again:.1f}")
    Console(width=110).print(table)
