"""Getting a page: hostile servers, redirects and names stay within the bounds, and no private address is reached."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
import trustme

from grapevine.cli.doctor_page import EVERYWHERE
from grapevine.doctor.page.fetch import MOST_BYTES, Fetched, FetchError, visiting
from grapevine.egress.policy import EgressPolicy
from tests.support.talks import serving

pytestmark = pytest.mark.anyio

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
PUBLIC = EgressPolicy(plain_http=True)
PRIVATE = EgressPolicy(EVERYWHERE, plain_http=True)


@asynccontextmanager
async def server(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server on loopback; yields its URL. ``answer`` gets each request's path."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await answer(head.split()[1].decode(), writer)
        await writer.drain()

    async with serving(serve, tls=tls) as port:
        yield f"http://127.0.0.1:{port}"


def fixed(*headers: str, body: bytes = b"<p>", status: str = "200 OK") -> Answer:
    async def answer(_: str, writer: asyncio.StreamWriter) -> None:
        head = "\r\n".join((f"HTTP/1.1 {status}", "Connection: close", *headers))
        writer.write(f"{head}\r\n\r\n".encode() + body)

    return answer


async def get(
    url: str, policy: EgressPolicy = PRIVATE, origins: frozenset[str] | None = None, seconds: float = 10.0
) -> Fetched:
    async with visiting(policy, origins=origins, seconds=seconds) as visitor:
        return await visitor.get(url)


async def refused(url: str, policy: EgressPolicy = PRIVATE, origins: frozenset[str] | None = None) -> str:
    with pytest.raises(FetchError) as caught:
        await get(url, policy, origins)
    return caught.value.code


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://0/",
        "http://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
        "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/", "http://10.0.0.1/", "http://[fd00::1]/",
        "http://[fe80::1%25lo]/", "http://[fe80::1%lo]/", "http://192.168.0.1:8080/", "http://127.0.0.1:22/",
        "http://user:secret@127.0.0.1/", "http://example.com@127.0.0.1/", "http://93.184.215.14:22/",
        "ftp://93.184.215.14/", "file:///etc/passwd", "gopher://127.0.0.1/", "http:///", "http://[/", "//x",
        "http://a b/",
    ],
)  # fmt: skip
async def test_addresses_inside_are_never_reached(url: str) -> None:
    assert await refused(url, PUBLIC) in ("page-private", "page-address", "page-unknown-host")


async def test_a_name_that_leads_inside_and_one_that_changes_its_mind() -> None:
    asked: list[str] = []

    async def lookup(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) > 1 or host == "inside.example" else ["93.184.215.14"]

    async with visiting(PUBLIC, lookup=lookup) as visitor:
        with pytest.raises(FetchError, match="no public address"):
            await visitor.get("http://inside.example/")

    async def rebound(_host: str, _port: int) -> Sequence[str]:
        asked.append("rebound")
        return ["127.0.0.1" if len(asked) == 1 else "127.0.0.2"]

    asked.clear()
    hosts: list[str] = []

    async def answer(path: str, writer: asyncio.StreamWriter) -> None:
        hosts.append(path)
        await fixed()(path, writer)

    async with server(answer) as url, visiting(EgressPolicy(("127.0.0.1/32",)), lookup=rebound) as visitor:
        await visitor.get(url.replace("127.0.0.1", "rebound.example"))
        assert (asked, hosts) == (["rebound"], ["/"]), "resolved once, and the address that was checked is used"
        with pytest.raises(FetchError, match="no public address"):
            await visitor.get(url.replace("127.0.0.1", "rebound.example"))
    assert hosts == ["/"]


async def test_redirects_are_checked_each_and_are_few() -> None:
    async def answer(path: str, writer: asyncio.StreamWriter) -> None:
        number = int(path.strip("/") or 0)
        await fixed(f"Location: /{number + 1}", status="302 Found")(path, writer)

    async with server(answer) as url:
        assert await refused(url) == "page-redirects"
    async with server(fixed("Location: http://127.0.0.2:1/", status="301 Moved")) as url:
        assert await refused(url, PRIVATE, frozenset((url,))) == "page-elsewhere"
        assert await refused(url) == "page-private"  # the port is none of the web's
    for target in ("file:///etc/passwd", "http://user@x/", "http://[", "javascript:1", "http://\x7f/"):
        async with server(fixed(f"Location: {target}", status="302 Found")) as url:
            assert await refused(url) in ("page-address", "page-unreachable")

    async def twice(path: str, writer: asyncio.StreamWriter) -> None:
        there = fixed("Location: /there?a=ü#x", status="308 Moved") if path == "/" else fixed()
        await there(path, writer)

    async with server(twice) as url:
        found = await get(f"{url}/#gv-token")
        assert (found.url, found.passed, found.body) == (f"{url}/there?a=%C3%BC", (f"{url}/",), b"<p>")


async def test_bodies_are_cut() -> None:
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(64)) + bomb.flush()
    for answer in (fixed(body=b"x" * (MOST_BYTES + 9)), fixed("Content-Encoding: gzip", body=packed)):
        async with server(answer) as url:
            found = await get(url)
            assert (len(found.body), found.is_cut) == (MOST_BYTES, True)
    async with server(fixed("Content-Encoding: gzip", body=gzip.compress(b"<p>hello"))) as url:
        assert (await get(url)).body == b"<p>hello"
    for answer in (fixed("Content-Encoding: br", body=b"x"), fixed("Content-Encoding: gzip", body=b"no gzip")):
        async with server(answer) as url:
            assert await refused(url) == "page-encoding"


async def test_endless_and_slow_answers_end() -> None:
    async def endless(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    async def drip(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def headers(_: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-A: " + b"b" * 1_000 + b"\r\n")
            await writer.drain()

    async def early_hints(_: str, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with server(endless) as url:
        assert (await get(url)).is_cut
    for answer, code in ((drip, "page-slow"), (headers, "page-unreachable"), (early_hints, "page-slow")):
        async with server(answer) as url:
            with pytest.raises(FetchError) as caught:
                await get(url, seconds=1.0)
            assert caught.value.code == code


async def test_what_is_no_answer() -> None:
    async with server(fixed(status="nonsense")) as url:
        assert await refused(url) == "page-unreachable"
    assert await refused(url) == "page-unreachable", "nothing listens any more"
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    async with server(fixed(), tls) as url:
        assert await refused(url.replace("http:", "https:")) == "page-certificate"
