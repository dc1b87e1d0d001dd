"""``grapevine.asgi.Unfurls`` and ``grapevine.wsgi.Unfurls`` in apps: what they report, and that apps do not notice."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from grapevine import asgi, wsgi
from grapevine.client import ClientSettingError
from grapevine.collect.user_agents import LONGEST_AGENT
from grapevine.domain.ids import HOUR_MS
from grapevine.unfurl_reports import reporter, worker
from grapevine.unfurl_reports.worker import Worker
from tests.client.reports_server import DEADLINE, ReportsServer, reports_server
from tests.client.test_import import SERVERS
from tests.support.in_process_server import Server
from tests.support.user_agents import CHROME
from tests.web.api.test_read_api import with_key

SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
CHATGPT = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
TOKEN = "86Yqi1yJE1R97caFSkEt8V0"
OTHER = "86Yqi1yJE1R97caFSkEt8V1"
KEY = "gv_a-secret-that-nothing-prints"
PAGE = b"<!doctype html><title>Bread</title>" + b"x" * 70_000


def wsgi_page(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    status = "404 Not Found" if environ["PATH_INFO"] == "/nothing" else "200 OK"
    start_response(status, [("Content-Type", "text/html"), ("X-Query", environ["QUERY_STRING"])])
    if environ["PATH_INFO"] == "/broken":
        raise ValueError("the app's own error")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return [PAGE[:10], PAGE[10:], body] if environ["REQUEST_METHOD"] != "HEAD" else [b""]


async def asgi_page(request: Request) -> Response:
    if request.url.path == "/broken":
        raise ValueError("the app's own error")

    body = await request.body()

    async def pieces() -> Any:
        yield PAGE[:10]
        yield PAGE[10:] + body

    return StreamingResponse(pieces(), headers={"X-Query": request.url.query}, media_type="text/html")


def asgi_app(*middlewares: Middleware) -> Starlette:
    methods = ["GET", "POST"]
    paths = ("/page", "/nothing-here/else", "/broken")
    return Starlette(routes=[Route(path, asgi_page, methods=methods) for path in paths], middleware=middlewares)


Call = tuple[str, str, str, bytes]
"""Method, target, user agent and body of a request."""

CALLS: list[Call] = [
    ("GET", f"/page?gv={TOKEN}", SLACK, b""),
    ("HEAD", f"/page?a=1&gv={TOKEN}.&utm_source=x", CHATGPT, b""),
    ("GET", f"/page?gv={TOKEN}", CHROME, b""),
    ("POST", f"/page?gv={TOKEN}", SLACK, b"a=1"),
    ("GET", f"/nothing?gv={TOKEN}", GOOGLE, b""),
    ("GET", f"/page?gv={TOKEN[:-1]}", SLACK, b""),
    ("GET", f"/page?other={TOKEN}", SLACK, b""),
    ("GET", f"/page/{TOKEN}?gv", SLACK, b""),
    ("GET", "/page?%ff=%fe&gv=%00", "\xff\xfe", b""),
    ("GET", "/page", SLACK, b""),
    ("GET", f"/broken?gv={TOKEN}", SLACK, b""),
    ("GET", f"/page?x={'y' * 9_000}&gv={TOKEN}", SLACK, b""),
    ("GET", f"/page?gv={OTHER}", SLACK, b""),
]
REPORTED = [(TOKEN, SLACK), (TOKEN, CHATGPT), (OTHER, SLACK)]
"""What is to be reported of ``CALLS``: each token once an app and hour."""


def call_wsgi(app: Any, call: Call) -> bytes:
    """What a WSGI server would write to its socket."""
    method, target, agent, body = call
    path, _, query = target.partition("?")
    written, errors = io.BytesIO(), io.StringIO()
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_USER_AGENT": agent,
        "CONTENT_LENGTH": str(len(body)), "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "a", "SERVER_PORT": "80",
    }  # fmt: skip
    handler = SimpleHandler(io.BytesIO(body), written, errors, environ)
    handler.http_version = "1.1"
    handler.origin_server = False
    handler.run(app)
    return written.getvalue()


async def call_asgi(app: Any, call: Call) -> list[Any]:
    """The messages that an ASGI server would get, or the error."""
    method, target, agent, body = call
    path, _, query = target.partition("?")
    sent: list[Any] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "root_path": "", "scheme": "https", "query_string": query.encode("latin-1"),
        "headers": [(b"host", b"a.example"), (b"user-agent", agent.encode("latin-1"))],
        "client": ("192.0.2.1", 1), "server": ("a.example", 443), "extensions": {},
    }  # fmt: skip
    bodies = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return bodies.pop(0) if bodies else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    except ValueError as error:
        sent.append(repr(error))
    return sent


def play(app: Any, *, is_asgi: bool) -> list[Any]:
    if not is_asgi:
        return [call_wsgi(app, call) for call in CALLS]

    async def all_calls() -> list[Any]:
        return [await call_asgi(app, call) for call in CALLS]

    return asyncio.run(all_calls())


@contextmanager
def wrapped(url: str, *, is_asgi: bool) -> Iterator[Any]:
    app = asgi.Unfurls(asgi_app(), server=url, key=KEY) if is_asgi else wsgi.Unfurls(wsgi_page, server=url, key=KEY)
    yield app
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(worker, "EXIT_SECONDS", 0.0)  # no test waits for a thread that an ill server holds
        app.close()


@pytest.mark.parametrize("is_asgi", [True, False], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("status", [200, 401, 429, 500, None, "down"])
def test_an_app_answers_as_it_would_alone_whatever_its_grapevine_does(
    status: int | str | None, is_asgi: bool, caplog: pytest.LogCaptureFixture
) -> None:
    expected = play(asgi_app() if is_asgi else wsgi_page, is_asgi=is_asgi)
    with ExitStack() as stack:
        answers = status if isinstance(status, int) else None
        server: ReportsServer = stack.enter_context(reports_server(answers))
        url = "http://127.0.0.1:1" if status == "down" else server.url
        app = stack.enter_context(wrapped(url, is_asgi=is_asgi))
        # The server answers nothing before the app has answered everything: a report that were waited for never ended.
        assert play(app, is_asgi=is_asgi) == expected
        if status == "down":
            return
        server.wait_for(1)
        server.released.set()
        if status == 200:
            app.close()
            assert server.reports == REPORTED
        assert {each[:2] for each in server.requests} == {("POST", "/v1/unfurls")}
        assert set(server.reports) <= set(REPORTED)
        assert all(headers["authorization"] == f"Bearer {KEY}" for _, _, headers, _ in server.requests)
        assert KEY not in repr(app) + repr(vars(app)) + caplog.text
        assert play(app, is_asgi=is_asgi) == expected


def test_more_than_may_wait_is_dropped_and_an_hour_later_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with reports_server() as server, wrapped(server.url, is_asgi=False) as app:
        call_wsgi(app, CALLS[0])
        server.wait_for(1)  # and is not answered
        for number in range(worker.MOST_WAITING + 50):
            call_wsgi(app, ("GET", f"/page?gv={number:023}", SLACK, b""))
        server.released.set()
        server.wait_for(2)
        later = time.time() + HOUR_MS / 1000
        monkeypatch.setattr(time, "time", lambda: later)
        call_wsgi(app, CALLS[0])
        app.close()
        assert len(server.reports) == worker.MOST_WAITING + 2
        assert server.reports[0] == server.reports[-1] == (TOKEN, SLACK)
        assert {each.get("at") for *_, body in server.requests for each in body["unfurls"][-1:]} == {None}


@pytest.mark.parametrize("kind", [asgi.Unfurls, wsgi.Unfurls])
@pytest.mark.parametrize(
    ("server", "key"),
    [
        ("", KEY), ("ftp://share.example.com", KEY), ("share.example.com", KEY), ("http://share.example.com", KEY),
        ("https://user:pass@share.example.com", KEY), ("https://share.example.com", ""), ("https://x.example", "a b"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_said_when_the_app_starts(kind: Any, server: str, key: str) -> None:
    with pytest.raises(ClientSettingError) as caught:
        kind(wsgi_page, server=server, key=key)
    assert key == "" or key not in str(caught.value)
    assert bool(key) or "--scope write" in str(caught.value)


def test_a_request_that_cannot_be_read_reaches_the_app(caplog: pytest.LogCaptureFixture) -> None:
    strange = wsgi.Unfurls(lambda *_: [b"served"], server="https://share.example.com", key=KEY)
    with caplog.at_level(logging.WARNING):
        assert strange({"QUERY_STRING": f"gv={TOKEN}"}, print) == [b"served"]
    assert "a request could not be noted: KeyError" in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize("server", ["socket"], indirect=True)
async def test_apps_report_to_a_real_server(server: Server) -> None:
    """A real ASGI app under uvicorn and a real WSGI app, asked by a person, a robot, a preview and an assistant."""
    await with_key(server, "writer", scope="write")
    assert server.url is not None
    visit = await server.visit()
    token = visit["tokens"]["copy"]
    before = await server.store.look("SELECT count(*) FROM visits")
    given: dict[str, Any] = {"server": server.url, "key": "writer"}
    app = asgi_app(Middleware(asgi.Unfurls, **given))
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off")
    serving, loop = uvicorn.Server(config), asyncio.get_running_loop()
    task = loop.create_task(serving.serve())
    wsgi_app = wsgi.Unfurls(wsgi_page, **given)

    class Silent(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    listening = make_server("127.0.0.1", 0, wsgi_app, handler_class=Silent)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(DEADLINE), httpx.AsyncClient(trust_env=False) as reader:
            while not serving.started:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            port = serving.servers[0].sockets[0].getsockname()[1]
            for base, agents in (
                (f"http://127.0.0.1:{port}", (CHROME, GOOGLE, SLACK, SLACK)),
                (f"http://127.0.0.1:{listening.server_port}", (CHROME, GOOGLE, CHATGPT)),
            ):
                for agent in agents:
                    answer = await reader.get(f"{base}/page?gv={token}", headers={"User-Agent": agent})
                    assert (answer.status_code, answer.content) == (200, PAGE)
            while await server.store.look("SELECT count(*) FROM unfurls") != [(2,)]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        serving.should_exit = True
        await task
        listening.shutdown()
        listening.server_close()
        await asyncio.to_thread(thread.join, DEADLINE)
        await asyncio.to_thread(wsgi_app.close)
    found = await server.store.look("SELECT app FROM unfurls ORDER BY app")
    assert found == [("chatgpt",), ("slack",)]
    assert await server.store.look("SELECT count(*) FROM visits") == before


def test_what_waits_holds_no_more_of_an_agent_than_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = list[Worker]()

    class IdleWorker(Worker):
        def start(self) -> None:
            workers.append(self)

    monkeypatch.setattr(reporter, "Worker", IdleWorker)
    app = wsgi.Unfurls(wsgi_page, server="http://127.0.0.1:1", key="k")
    call_wsgi(app, ("GET", f"/?gv={TOKEN}", "Slackbot" + "x" * 60_000, b""))
    (idle,) = workers
    note = idle.waiting.get(block=False)
    assert note is not None
    assert note.agent == "Slackbot" + "x" * (LONGEST_AGENT - len("Slackbot"))


@pytest.mark.process
def test_importing_them_loads_no_server_and_no_database() -> None:
    program = f"import sys, grapevine.asgi, grapevine.wsgi; print(sorted(set({SERVERS!r}) & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    assert done.stdout.strip() == "[]"


FORKING = """
import os, sys
from grapevine import wsgi
from grapevine.unfurl_reports import reporter, worker
from grapevine.unfurl_reports.worker import Worker
url, slack, worker.EXIT_SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
app = wsgi.Unfurls(lambda environ, start: [b"served"], server=url, key="key")

def ask(token):
    environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": f"gv={token}", "HTTP_USER_AGENT": slack}
    assert app(environ, None) == [b"served"]

ask("1" * 23)                 # the parent has a thread before it forks,
sys.stdin.readline()          # which has reported
children = []
for number in "23":
    child = os.fork()
    if child == 0:
        ask(number * 23)
        sys.exit(0)           # what was noted is reported at the end of a process
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
ask("4" * 23)
print("ended")
"""


@pytest.mark.process
@pytest.mark.parametrize("status", [200, None])
def test_forked_workers_report_and_a_process_ends_although_its_grapevine_hangs(status: int | None) -> None:
    with reports_server(status) as server:
        server.released.set()
        seconds = "0.5" if status is None else "60"
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING, server.url, SLACK, seconds]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:  # noqa: S603
            server.wait_for(1)
            assert process.communicate("go\n", timeout=240) == ("ended\n", "")
        if status == 200:
            assert sorted(server.reports) == [(number * 23, SLACK) for number in "1234"]


def stub(name: str, **members: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(members)
    return module


def test_the_documented_lines_wrap_an_app_of_each_framework(
    project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs the lines of docs/links.md. The frameworks are stand-ins with the names that the lines use."""

    class Flask:
        def __init__(self, _: str) -> None:
            self.wsgi_app: Any = wsgi_page

    frameworks = {
        "django": stub("django"), "django.core": stub("django.core"), "flask": stub("flask", Flask=Flask),
        "django.core.wsgi": stub("django.core.wsgi", get_wsgi_application=lambda: wsgi_page),
        "fastapi": stub("fastapi", FastAPI=Starlette),
    }  # fmt: skip
    for name, module in frameworks.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("GRAPEVINE_KEY", KEY)
    section = (project_root / "docs/links.md").read_text("utf-8").partition("## Your own app")[2]
    django, flask, fastapi = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    expected = call_wsgi(wsgi_page, CALLS[2])
    for lines, name in ((django, "application"), (flask, "app")):
        made: dict[str, Any] = {"__name__": "app"}
        exec(lines, made)  # noqa: S102
        app = made[name] if name == "application" else made[name].wsgi_app
        assert isinstance(app, wsgi.Unfurls)
        assert call_wsgi(app, CALLS[2]) == expected
        app.close()
    made = {}
    exec(fastapi, made)  # noqa: S102
    assert [each.cls for each in made["app"].user_middleware] == [asgi.Unfurls]
    assert isinstance(made["app"].build_middleware_stack().app, asgi.Unfurls)
