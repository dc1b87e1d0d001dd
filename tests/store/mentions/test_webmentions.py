"""Webmentions from their receipt to a mention and its end, against a real server, on every database."""

from __future__ import annotations

import asyncio
import gzip
import itertools
from collections.abc import AsyncIterator

import pytest

from grapevine.domain import ids
from grapevine.egress.bounded_fetch import FetchBounds
from grapevine.egress.policy import EgressPolicy
from grapevine.errors import Busy, WebmentionRefused
from grapevine.mentions import bounds, checking
from grapevine.store.repositories.webmentions import QueueBounds
from tests.store.mentions.mentioned_site import PAGE, PUBLIC, MentionedSite
from tests.support.backends import Backend
from tests.support.source_server import SourceServer, serving_sources

pytestmark = pytest.mark.anyio

LINK = f'<p>See <a href="{PAGE}">this</a>.</p>'


@pytest.fixture
async def site(store: Backend) -> MentionedSite:
    found = MentionedSite(store)
    await found.begin()
    return found


@pytest.fixture
async def sources() -> AsyncIterator[SourceServer]:
    async with serving_sources() as found:
        yield found


async def test_a_webmention_becomes_a_mention_is_looked_at_again_and_ends(
    site: MentionedSite, sources: SourceServer
) -> None:
    sources.page("/post", f"<title> On\n bread </title><p class='p-author'>Ann</p>{LINK}")
    source = sources.url("/post", "blog.example")
    assert await site.take(source, f"{PAGE}?utm_source=x#gv-{'0' * 23}")
    assert not await site.take(f"{source}#part")
    assert await site.read() == {"new": 1}
    (found,) = await site.mentions()
    assert (found.source_url, found.title, found.author, found.gone_at) == (source, "On bread", "Ann", None)
    assert (found.at, site.events, await site.told()) == (site.now, 1, 1)
    assert "GrapevineWebmention" in sources.asked[0].headers["user-agent"]
    assert sources.asked[0].headers["host"] == f"blog.example:{sources.port}"

    # A repeat has it read anew; so does time.
    sources.page("/post", f"<title>New</title>{LINK}")
    assert not await site.take(source)
    assert await site.read() == {"seen": 1}
    assert [each.title for each in await site.mentions()] == ["New"]
    for number, days in enumerate((7, 30, 90, 90), 2):
        assert await site.waiting() == [(source, 0, number, days * 1_440)]
        assert await site.read(days * 1_440) == {"seen": 1}
    assert (await site.told(), site.events) == (1, 1)

    sources.page("/post", "<p>Nothing</p>")
    assert not await site.take(source)
    assert await site.read() == {"not-linked": 1}
    (gone,) = await site.mentions(gone=True)
    assert (gone.gone_at, gone.title, gone.author) == (site.now, None, None)
    assert await site.waiting() == []

    # Sent once more, it is there again; 410 ends it for good.
    sources.page("/post", f"<title>Back</title>{LINK}")
    assert await site.take(source)
    assert await site.read() == {"seen": 1}
    assert [(each.title, each.gone_at) for each in await site.mentions()] == [("Back", None)]
    sources.page("/post", "", 410)
    await site.take(source)
    assert await site.read() == {"gone": 1}
    assert (len(await site.mentions(gone=True)), await site.told()) == (1, 1)


async def test_a_target_has_to_be_a_known_page_and_a_source_a_page_elsewhere(site: MentionedSite) -> None:
    source = "https://blog.example/post"
    refused = [
        (source, "", "target"),
        (source, "bread", "target"),
        (source, "ftp://a.example/bread", "target"),
        (source, "https://u:p@a.example/bread", "target"),
        (source, "http://a.example/bread", "target"),  # another origin
        (source, "https://b.example/bread", "target"),
        (source, "https://a.example/unknown", "target"),
        (source, "https://a.example/bre\0ad", "target"),
        (source, f"{PAGE}?{'x' * 2_100}", "target"),
        (PAGE, PAGE, "source"),
        (f"{PAGE}#part", PAGE, "source"),
        ("https://a.example/other", PAGE, "source"),
        ("", PAGE, "source"),
        ("blog.example/post", PAGE, "source"),
        ("javascript:alert(1)", PAGE, "source"),
        ("file:///etc/passwd", PAGE, "source"),
        ("gopher://blog.example/", PAGE, "source"),
        ("https://user:pass@blog.example/", PAGE, "source"),
        ("https://blog.example:25/", PAGE, "source"),
        ("http://blog.example:443/", PAGE, "source"),
        ("http://192.168.1.1/", PAGE, "source"),
        ("http://169.254.169.254/latest/meta-data/", PAGE, "source"),
        ("http://[::1]/", PAGE, "source"),
        ("http://[::ffff:10.0.0.1]/", PAGE, "source"),
        ("http://127。0。0。1/", PAGE, "source"),
        (f"https://blog.example/{'x' * 2_100}", PAGE, "source"),
    ]
    receiver = site.receiver(PUBLIC)
    for source_url, target, field in refused:
        with pytest.raises(WebmentionRefused) as refusal:
            pytest.fail(f"{source_url} {target} was taken: {await receiver.take(source_url, target)}")
        assert refusal.value.errors[0].field == field, (source_url, target, refusal.value)
    assert {name: number for name, number in receiver.received.items() if number} == {
        "target": sum(field == "target" for *_, field in refused),
        "source": sum(field == "source" for *_, field in refused),
    }
    assert await site.waiting() == []


async def test_a_site_that_takes_none_gets_none(store: Backend, sources: SourceServer) -> None:
    site = MentionedSite(store)
    await site.begin(webmention="off")
    with pytest.raises(WebmentionRefused, match="takes no webmentions"):
        await site.take("https://blog.example/post")
    await store.sites.change_site(7, {"webmention": "on"})
    site.now += 2_000
    await site.take(sources.url("/post"))
    await store.sites.change_site(7, {"webmention": "off"})
    assert await site.read() == {"refused": 1}
    assert (sources.asked, await site.waiting()) == ([], [])


async def test_the_queue_is_bounded_by_site_host_and_server(
    site: MentionedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limits, hosts in (
        (QueueBounds(of_site=3, of_host=9, of_server=9), "many"),
        (QueueBounds(of_site=99, of_host=3, of_server=99), "one"),
        (QueueBounds(of_site=99, of_host=99, of_server=6), "many"),
    ):
        monkeypatch.setattr("grapevine.mentions.receiving.QUEUE", limits)
        before = len(await site.waiting())
        for number in range(3):
            host = f"h{number}.{before}.example" if hosts == "many" else "one.example"
            with_room = limits.of_site > 3 or before == 0
            if before + number >= limits.of_server or not with_room:
                break
            assert await site.take(f"https://{host}/{number}")
        with pytest.raises(Busy) as refusal:
            await site.take("https://one.example/more")
        assert refusal.value.retry_after
        assert not await site.take((await site.waiting())[0][0])  # a repeat needs no room


async def test_a_host_is_asked_once_a_minute_and_an_address_every_few_seconds(
    site: MentionedSite, sources: SourceServer
) -> None:
    for number in range(3):
        sources.page(f"/{number}", LINK)
        await site.take(sources.url(f"/{number}", "blog.example"))
    await site.take(sources.url("/0", "other.example"))
    readers = [site.reader(), site.reader()]  # two processes
    asked: dict[str, list[int]] = {}
    for _ in range(24):
        before = len(sources.asked)
        await asyncio.gather(*(reader.read_due() for reader in readers))
        new = [each.headers["host"].partition(":")[0] for each in sources.asked[before:]]
        assert len(new) <= 1  # of one address, though both hosts were due
        for host in new:
            asked.setdefault(host, []).append(site.now)
        site.now += 10_000
    assert {host: len(times) for host, times in asked.items()} == {"blog.example": 3, "other.example": 1}
    assert all(b - a >= 60_000 for times in asked.values() for a, b in itertools.pairwise(times))
    assert len(await site.mentions()) == 4


async def test_what_fails_for_now_is_tried_again_and_given_up(site: MentionedSite, sources: SourceServer) -> None:
    source = sources.url("/post")
    sources.page("/post", "", 503)
    await site.take(source)
    pauses = []
    for _ in bounds.RETRY_MS:
        assert await site.read() == {"failed": 1}
        (((_, _, _, minutes)),) = await site.waiting()
        pauses.append(minutes)
        site.now += minutes * 60_000
    assert pauses == [pause // 60_000 for pause in bounds.RETRY_MS]
    assert await site.read() == {"given-up": 1}
    assert (await site.waiting(), await site.mentions()) == ([], [])

    sources.page("/post", "", 429, retry_after="7200")
    await site.take(source)
    await site.read()
    assert [minutes for *_, minutes in await site.waiting()] == [120]

    # A known mention is tried for longer, and is gone then.
    sources.page("/post", LINK)
    await site.take(source)
    assert await site.read() == {"new": 1}
    site.addresses["127.0.0.1"] = ()
    site.now += ids.DAY_MS
    for _ in bounds.LAST_RETRIES_MS:
        assert await site.read() == {"failed": 1}
        (((_, _, _, minutes)),) = await site.waiting()
        site.now += minutes * 60_000
    assert await site.read() == {"gone": 1}
    assert len(await site.mentions(gone=True)) == 1


async def test_a_killed_reader_loses_and_doubles_nothing(site: MentionedSite, sources: SourceServer) -> None:
    source, held = sources.url("/post"), asyncio.Event()

    async def hold(_writer: asyncio.StreamWriter) -> None:
        held.set()
        await asyncio.Event().wait()

    sources.pages["/post"] = hold
    await site.take(source)
    task = asyncio.create_task(site.reader().read_due())
    async with asyncio.timeout(30):
        await held.wait()
    task.cancel()  # as a kill: nothing is settled
    await asyncio.gather(task, return_exceptions=True)
    sources.page("/post", LINK)
    assert await site.read(0) == {}  # another process: it is claimed
    site.now += checking.CLAIM_MS
    assert await site.read(0) == {"new": 1}
    assert [row.source_url for row in await site.mentions()] == [source]
    assert (await site.told(), [row[2] for row in await site.waiting()]) == (1, [1])


async def test_a_webmention_that_is_repeated_while_its_source_is_read_is_read_once_more(
    site: MentionedSite, sources: SourceServer
) -> None:
    source = sources.url("/post")

    async def repeat(writer: asyncio.StreamWriter) -> None:
        sources.page("/post", f"<title>Second</title>{LINK}")
        assert not await site.take(source)
        body = f"<title>First</title>{LINK}".encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()

    sources.pages["/post"] = repeat
    await site.take(source)
    await site.read()
    assert await site.mentions() == []  # what was read is old already
    assert await site.read() == {"new": 1}
    assert ([row.title for row in await site.mentions()], await site.told()) == (["Second"], 1)


async def test_a_site_has_so_many_new_mentions_a_day(
    site: MentionedSite, sources: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_A_DAY", 2)
    sources.page("/post", LINK)
    for number in range(3):
        await site.take(sources.url("/post", f"h{number}.example"))
    for _ in range(4):
        await site.read()
    assert len(await site.mentions()) == 2
    await site.take(sources.url("/post", "h3.example"))
    await site.take(sources.url("/post", "h4.example"))
    await site.read()
    for number in range(5, 8):  # tomorrow's are counted with those that waited since today
        if number == 5:
            site.now = ids.day_start(ids.day_at(site.now) + 1)
        await site.take(sources.url("/post", f"h{number}.example"))
    for _ in range(8):
        await site.read()
    known = [row.at for row in await site.mentions()]
    assert (len(known), sum(at >= ids.day_start(ids.day_at(site.now)) for at in known)) == (4, 2)
    site.now = ids.day_start(ids.day_at(site.now) + 1)
    for _ in range(8):
        await site.read()
    assert len(await site.mentions()) == 6


async def test_mentions_end_with_retention_and_do_not_come_back(site: MentionedSite, sources: SourceServer) -> None:
    sources.page("/post", LINK)
    await site.take(sources.url("/post"))
    await site.read()
    async for _ in site.store.retention.delete_mentions(site.now + 1):
        pass
    assert await site.mentions() == []
    assert await site.read(1_440) == {"seen": 1}
    assert (await site.mentions(), await site.waiting(), await site.told()) == ([], [], 1)


async def test_no_source_leads_into_a_private_network(site: MentionedSite, sources: SourceServer) -> None:
    sources.page("/post", LINK)
    sources.page("/away", "", 302, location=f"http://away.example:{sources.port}/post")
    private = ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:192.168.0.1", "64:ff9b::a00:1")
    for number, address in enumerate(private):
        site.addresses[f"p{number}.example"] = (address,)
    site.addresses["mixed.example"] = ("93.184.215.14", "10.0.0.1")
    for host in site.addresses:
        await site.receiver(PUBLIC).take(sources.url("/post", host), PAGE)
    with pytest.raises(WebmentionRefused, match="leads to no public address"):
        await site.receiver(PUBLIC).take(sources.url("/post", "0x7f.1"), PAGE)
    reader = site.reader(PUBLIC)
    read = await site.read(reader=reader)
    while await reader.read_due():  # a poll starts as many as may be read at once, and they end at any time
        read = await site.read(0, reader)
    assert read == {"refused": len(private) + 1}
    assert (sources.asked, await site.waiting()) == ([], [])

    # A name that was good when it was sent leads elsewhere when it is read, or redirects there.
    allowed = EgressPolicy(["127.0.0.1/32"], plain_http=True)
    site.addresses["away.example"] = ("127.0.0.2",)
    await site.take(sources.url("/away", "near.example"))
    assert await site.read(reader=site.reader(allowed)) == {"refused": 1}
    assert [asked.path for asked in sources.asked] == ["/away"]
    for location in (
        "http://127.0.0.2/", "file:///etc/passwd", "http://u:p@near.example/", "http://near.example:22/", "gopher://x/",
        "http://[", "//", "\\\\127.0.0.2\\", f"http://near.example/{'x' * 9_000}",
    ):  # fmt: skip
        sources.page("/away", "", 302, location=location)
        await site.take(sources.url("/away", "near.example"))
        assert await site.read(reader=site.reader(allowed)) in ({"refused": 1}, {"gone": 1}), location
    assert {asked.headers["host"] for asked in sources.asked} == {f"near.example:{sources.port}"}


async def test_redirects_are_followed_three_times_and_are_fetches_of_their_hosts(
    site: MentionedSite, sources: SourceServer
) -> None:
    for number in range(5):
        sources.page(f"/{number}", "", 301, location=f"/{number - 1}")
    sources.page("/0", '<base href="https://a.example/"><a href="bread">x</a>')
    source = sources.url("/3", "blog.example")
    await site.take(source)
    assert await site.read() == {"new": 1}
    assert [row.source_url for row in await site.mentions()] == [source]
    await site.take(sources.url("/4", "blog.example"))
    assert await site.read() == {"refused": 1}
    # Many names that lead on to one host are one fetch of it a minute.
    asked = len(sources.asked)
    sources.page("/victim", "", 302, location=f"http://victim.example:{sources.port}/0")
    for number in range(4):
        site.addresses[f"h{number}.example"] = (f"127.0.0.{number + 10}",)
        await site.take(sources.url("/victim", f"h{number}.example"))
    site.now += 60_000
    await site.read(0)
    await site.read(0)
    assert [each.path for each in sources.asked[asked:]].count("/0") <= 1


async def test_hostile_answers_take_bounded_time_and_memory(
    site: MentionedSite, sources: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n")
        while True:
            writer.write(b"<p>" * 20_000)
            sent += 60_000
            await writer.drain()

    async def slow(writer: asyncio.StreamWriter) -> None:
        for each in b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n":
            writer.write(bytes([each]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async def no_http(writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await writer.drain()

    bomb = gzip.compress(b"<b>" * (4 << 20))
    sources.pages |= {"/endless": endless, "/slow": slow, "/ssh": no_http}
    sources.page("/bomb", bomb, content_encoding="gzip")
    sources.page("/br", b"x", content_encoding="br")
    sources.page("/bad", b"not gzip", content_encoding="gzip")
    sources.page("/late", b" " * (1 << 20) + LINK.encode())
    expected = {
        "/endless": {"not-linked": 1}, "/bomb": {"not-linked": 1}, "/br": {"refused": 1}, "/bad": {"refused": 1},
        "/late": {"not-linked": 1}, "/slow": {"failed": 1}, "/ssh": {"failed": 1},
    }  # fmt: skip
    for path, result in expected.items():
        seconds = 0.5 if path == "/slow" else 30  # on a busy machine, the others may take longer
        monkeypatch.setattr(checking, "SOURCE", FetchBounds(most_bytes=1 << 20, seconds=seconds, redirects=3))
        await site.take(sources.url(path, f"h{path[1:]}.example"))
        assert await site.read() == result, path
    assert sent < 40 << 20
    assert await site.mentions() == []
