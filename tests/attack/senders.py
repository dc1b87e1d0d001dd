"""Attackers that send bytes as no browser does; each is a function for ``attackers.submit``."""

from __future__ import annotations

import http.client
import resource
import secrets
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.attacked_server import AttackedSite
from tests.support.raw_connection import request

PATIENCE_SECONDS: Final = 120

REFUSED_SECONDS: Final = 20
"""A busy machine takes its time to close connections; idle ones are closed after 30 seconds."""
CHUNK: Final = 1 << 18
SMALL_BUFFER: Final = 2_048


class Outcome(NamedTuple):
    """What a client that only sends saw: bytes it could send, the beginning of the answer, whether it was closed."""

    sent: int
    answer: bytes
    closed: bool


def send_until_refused(port: int, pieces: Sequence[bytes], seconds: float = PATIENCE_SECONDS) -> Outcome:
    """Sends the pieces on one connection until it ends, and returns what came back."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        sent = 0
        try:
            for piece in pieces:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass  # refused: the answer is there to be read all the same
        return Outcome(sent, *_read(connection))


def growing_header(port: int, size: int) -> Outcome:
    """One header value of so many bytes."""
    return send_until_refused(port, [b"GET / HTTP/1.1\r\nhost: x\r\nx: ", *[b"a" * CHUNK] * (size // CHUNK)])


def short_headers(port: int, size: int) -> Outcome:
    """So many bytes of the shortest headers."""
    line = b"a: b\r\n"
    return send_until_refused(
        port, [b"GET / HTTP/1.1\r\nhost: x\r\n", *[line * (CHUNK // len(line))] * (size // CHUNK)]
    )


def long_url(port: int, size: int) -> Outcome:
    """A URL of so many bytes, in a request that is whole."""
    url = [b"GET /", *[b"a" * CHUNK] * (size // CHUNK), b" HTTP/1.1\r\nhost: x\r\n\r\n"]
    return send_until_refused(port, url)


def never_ending(port: int, number: int, size: int) -> int:
    """Begins that many heads of so many bytes, one after the other; returns how many were refused."""
    return sum(growing_header(port, size).answer.startswith(b"HTTP/1.1 431 ") for _ in range(number))


def never_read(port: int, path: str, connections: int, requests: int, sources: int, sent: Path, done: Path) -> int:
    """Asks for ``path`` that many times on each connection at once, from some addresses, and reads nothing.

    Makes the file ``sent`` when all have an answer waiting, and holds the connections until there is a file ``done``.
    Returns how many had an answer.
    """
    content = f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode() * requests
    with ExitStack() as stack:
        held = []
        for number in range(connections):
            connection = _small(port, f"127.0.1.{1 + number % sources}")
            held.append(stack.enter_context(closing(connection)))
            connection.setblocking(False)
            with suppress(OSError):  # more than the other side takes at the moment
                connection.send(content)
        answered = _wait(held, select.POLLIN, PATIENCE_SECONDS)
        sent.touch()
        until = time.monotonic() + PATIENCE_SECONDS
        while not done.exists() and time.monotonic() < until:
            time.sleep(0.1)
        return answered


def idle(port: int, connections: int, seconds: float, source: str = "127.0.0.1", refused: int = 0) -> tuple[int, int]:
    """Opens connections and says nothing; returns how many were closed after a second, and after ``seconds``.

    The second begins when as many as are to be ``refused`` are closed, or after ``REFUSED_SECONDS``.
    """
    with ExitStack() as stack:
        held = _connected(stack, port, connections, source)
        _wait(held, select.POLLRDHUP, REFUSED_SECONDS, refused)
        return _wait(held, select.POLLRDHUP, 1), _wait(held, select.POLLRDHUP, seconds)


def byte_by_byte(port: int, connections: int, content: bytes, seconds: float) -> int:
    """Sends a request on each connection, a byte a second; returns how many were closed before ``seconds`` are over."""
    with ExitStack() as stack:
        held = _connected(stack, port, connections)
        until = time.monotonic() + seconds
        for byte in content:
            for connection in held:
                with suppress(OSError):
                    connection.send(bytes([byte]))
            closed = _wait(held, select.POLLRDHUP, 1)
            if closed == connections or time.monotonic() > until:
                return closed
        return 0


def malformed(port: int, number: int) -> int:
    """Sends that many requests that are no HTTP; returns how many were answered 400."""
    found = 0
    for _ in range(number):
        found += send_until_refused(port, [b"NONSENSE\r\n\r\n"]).answer.startswith(b"HTTP/1.1 400 ")
    return found


def upgrades(port: int, number: int) -> int:
    """Asks for another protocol that many times on one connection; returns how often the answer was an ordinary one."""
    headers = {"Connection": "upgrade", "Upgrade": "websocket"}
    found = 0
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as connection:
        for _ in range(number):
            connection.request("GET", "/healthz", headers=headers)
            answer = connection.getresponse()
            answer.read()
            found += answer.status == 200
    return found


def leave_while_answered(port: int, number: int) -> None:
    """Asks for more than fits into the buffers, and leaves while the answers are written."""
    content = b"GET /widget.js HTTP/1.1\r\nhost: x\r\n\r\n" * 16
    for _ in range(number):
        with closing(_small(port, "127.0.0.1")) as connection:
            connection.sendall(content)
            connection.recv(100)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends with a reset


def leave_while_asking(port: int, number: int) -> None:
    """Sends half a form, half a collect call, and half a chunk, and leaves."""
    form = {"content-type": "application/x-www-form-urlencoded", "content-length": "100"}
    halves = [
        request("POST", "/sign-in", headers=form | {"origin": f"http://127.0.0.1:{port}", "host": f"127.0.0.1:{port}"}),
        request("POST", "/v1/visits", headers={"content-length": "100"}),
        request("POST", "/v1/visits", headers={"transfer-encoding": "chunked"}) + b"64\r\n",
    ]
    for half in halves * number:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
            connection.sendall(half + b"key=")


def visits(port: int, site: AttackedSite, number: int, agent_size: int) -> dict[int, int]:
    """Sends visits with a new user agent of so many bytes each; returns how often each status came."""
    found: Counter[int] = Counter()
    body = {"site": site.site, "url": f"{site.origin}/", "channels": ["copy"]}
    for _ in range(number):
        agent = f"Mozilla/5.0 (X11; Linux x86_64) {secrets.token_hex(16)} ".ljust(agent_size, "a")
        headers = {"origin": site.origin, "user-agent": agent, "connection": "close"}
        content = request("POST", "/v1/visits", body | {"nonce": secrets.token_hex(16)}, headers)
        found[int(send_until_refused(port, [content]).answer[9:12])] += 1
    return dict(found)


def _small(port: int, source: str) -> socket.socket:
    """Returns a connection with the smallest buffer for answers."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    connection.settimeout(PATIENCE_SECONDS)
    connection.bind((source, 0))
    connection.connect(("127.0.0.1", port))
    return connection


def _read(connection: socket.socket) -> tuple[bytes, bool]:
    """Returns what there is to be read, and whether the connection has ended."""
    answer = b""
    try:
        while piece := connection.recv(65_536):
            answer += piece
    except TimeoutError:
        return answer, False
    except OSError:
        return answer, True
    return answer, True


def _connected(stack: ExitStack, port: int, number: int, source: str = "127.0.0.1") -> list[socket.socket]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, number + 500)), hard))
    address = ("127.0.0.1", port)
    return [
        stack.enter_context(closing(socket.create_connection(address, PATIENCE_SECONDS, (source, 0))))
        for _ in range(number)
    ]


def _wait(held: Sequence[socket.socket], events: int, seconds: float, enough: int | None = None) -> int:
    """Returns for how many connections one of the events is true: when that is ``enough`` (all, unless it is given), or
    after ``seconds``."""
    poll = select.poll()
    for connection in held:
        poll.register(connection, events)
    until = time.monotonic() + seconds
    enough = len(held) if enough is None else enough
    while (found := len(poll.poll(0))) < enough and time.monotonic() < until:
        time.sleep(0.1)
    return found
