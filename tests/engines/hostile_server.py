"""Pages whose server for the widget is away, slow, wrong, or half there."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any, Final

from tests.engines.hostile import ALL, BAR, NO_BAR, NOTHING, Odd
from tests.engines.server import RecorderServer
from tests.support.fake_server import Reply

UNKNOWN: Final = frozenset({"visit", "bar"})
"""The visit was reported, and nothing sensible came back: pages share plain URLs."""

Mood = Callable[[RecorderServer], None]


def _is(**how: Any) -> Mood:
    def mood(recorder: RecorderServer) -> None:
        for name, value in how.items():
            setattr(recorder, name, value)

    return mood


def _answers(status: int, text: str = "{}", **headers: str) -> Mood:
    return _is(refusal=(status, {name.replace("_", "-"): value for name, value in headers.items()}, text))


def _parts(reply: Reply) -> Mood:
    """Every file but the script itself is answered like this."""

    def mood(recorder: RecorderServer) -> None:
        found = recorder.file

        def file(name: str) -> Reply | None:
            return reply if name.startswith("widget.") and name != "widget.js" else found(name)

        recorder.file = file  # type: ignore[method-assign]

    return mood


def _script(body: bytes | None) -> Mood:
    def mood(recorder: RecorderServer) -> None:
        if body is None:
            recorder.files.pop("widget.js", None)
        else:
            recorder.files["widget.js"] = (body, "text/javascript")

    return mood


def _held(recorder: RecorderServer) -> None:
    """The script does not come before the page says that it is ready."""
    ready = Event()
    found = recorder.file

    def file(name: str) -> Reply | None:
        if name == "ready":
            ready.set()
        if name == "widget.js":
            assert ready.wait(10), "the page waited for the widget"
        return found(name)

    recorder.file = file  # type: ignore[method-assign]


JS: Final = {"Content-Type": "text/javascript", "Access-Control-Allow-Origin": "*"}
SERVERS: Final = [
    Odd("server-away", does=BAR, server=_is(away=True), known=False),
    Odd("server-hangs-up", does=UNKNOWN, server=_is(drops=True), known=False),
    Odd("server-never-answers", does=UNKNOWN, server=_is(hangs=True), known=False),
    Odd("server-takes-ten-seconds", does=UNKNOWN, server=_is(delay=10), known=False),
    Odd("server-fails", does=UNKNOWN, server=_answers(500), known=False),
    Odd("server-answers-html", does=UNKNOWN, server=_answers(200, "<html>Welcome</html>"), known=False),
    Odd(
        "server-answers-html-to-a-failure", does=UNKNOWN, server=_answers(502, "<html>Bad gateway</html>"), known=False
    ),
    Odd("server-answers-nothing", does=UNKNOWN, server=_answers(200, ""), known=False),
    Odd("server-answers-no-content", does=UNKNOWN, server=_answers(204, ""), known=False),
    Odd("server-answers-null", does=UNKNOWN, server=_answers(200, "null"), known=False),
    Odd("server-answers-half-a-visit", does=UNKNOWN, server=_answers(200, '{"visit": "v"}'), known=False),
    Odd("server-answers-a-list", does=UNKNOWN, server=_answers(200, "[]"), known=False),
    Odd("server-breaks-off", does=UNKNOWN, server=_answers(200, '{"visit": "v"', Content_Encoding="gzip"), known=False),
    Odd("server-is-busy", does=UNKNOWN, server=_answers(429, Retry_After="60"), known=False),
    Odd("server-is-busy-until-rubbish", does=UNKNOWN, server=_answers(503, Retry_After="soon"), known=False),
    Odd(
        "server-does-not-know-the-site",
        does=UNKNOWN,
        server=_answers(404, '{"code": "unknown-site"}'),
        known=False,
    ),
    Odd("server-refuses", does=UNKNOWN, server=_answers(202, Grapevine_Dropped="robot"), known=False),
    Odd("server-sends-elsewhere", does=UNKNOWN, server=_answers(302, Location="/p/elsewhere"), known=False),
    Odd("parts-missing", does=NO_BAR, may=frozenset({"view"}), server=_parts(Reply(404, JS, b""))),
    Odd(
        "parts-are-html",
        does=NO_BAR,
        may=frozenset({"view"}),
        server=_parts(Reply(200, {**JS, "Content-Type": "text/html"}, b"<html>")),
    ),
    Odd("parts-throw", does=NO_BAR, may=frozenset({"view"}), server=_parts(Reply(200, JS, b"throw Error('a part')"))),
    Odd("parts-are-empty", does=NO_BAR, may=frozenset({"view"}), server=_parts(Reply(200, JS, b""))),
    Odd("script-missing", does=NOTHING, server=_script(None)),
    Odd("script-empty", does=NOTHING, server=_script(b"")),
    Odd(
        "script-comes-late",
        "addEventListener('DOMContentLoaded', () => { new Image().src = '{home}ready' });",
        does=ALL,
        server=_held,
    ),
]
