"""A page's title is its own and follows its corrections."""

from __future__ import annotations

import pytest

from grapevine.domain.channels import CODES
from grapevine.domain.events import ShareReport
from grapevine.domain.tokens import Token
from grapevine.store.base import Store
from grapevine.writer.nonces import Nonces
from grapevine.writer.pages import MAX_TITLE_CHANGES
from grapevine.writer.recorder import EventRecorder
from tests.store.writer.test_batch import NOON, SITE, BatchScene, page

pytestmark = pytest.mark.anyio

COPY = CODES["copy"]
A, B = "https://a.example/a", "https://a.example/b"


class TitleScene(BatchScene):
    """Sends titles of pages, and reads those that are stored."""

    async def come(self, url: str, title: str | None) -> int:
        return (await self.land(self.arrival(page=page(url), title=title))).visit_id

    async def share(self, visit: int, url: str, title: str | None, n: int = 0) -> None:
        await self.play(self.shared(visit, url, title, n))

    def shared(self, visit: int, url: str, title: str | None, n: int = 0) -> ShareReport:
        token = Token(visit, COPY, n)
        return ShareReport(site_id=SITE, token=token, at=NOON + n, page=page(url), title=title, by_session=True)

    async def titles(self) -> dict[str, str | None]:
        rows = await self.table("SELECT url, title FROM pages")
        return dict(rows)

    def restart(self) -> None:
        """A process that remembers nothing of what it stored."""
        self.recorder = EventRecorder(self.store, Nonces(b"n" * 32))


@pytest.fixture
def scene(store: Store) -> TitleScene:
    return TitleScene(store)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(
    ("titles", "kept"),
    [
        (["Hedline", "Headline"], "Headline"),
        (["Loading…", "Headline", "Loading…", "Headline"], "Headline"),
        (["Headline", None, ""], "Headline"),
        (["Headline", "(3) Headline", "(12) Headline", "(99+) Headline"], "Headline"),
        (["(3) Headline", "Headline"], "Headline"),
        (["(3) Headline", "(4) Headline"], "(4) Headline"),
        (["Days", "(500) Days of Summer"], "(500) Days of Summer"),
        (["Days of Summer", "Summer", "More of Summer"], "More of Summer"),
        (["50 % off_", "50 % off"], "50 % off"),
        (["Long title", "T", "(1) T"], "T"),
    ],
)
async def test_the_last_title_is_kept(scene: TitleScene, titles: list[str | None], kept: str, restarts: bool) -> None:
    for title in titles:
        await scene.come(A, title or None)
        if restarts:
            scene.restart()
    assert await scene.titles() == {A: kept}


async def test_of_several_processes_the_one_that_stored_a_title_corrects_it(scene: TitleScene) -> None:
    """The others know of no other title than the right one, and offer none."""
    await scene.come(A, "Headline")
    one = scene.recorder
    scene.restart()
    await scene.come(A, "Made up")
    other, scene.recorder = scene.recorder, one
    await scene.come(A, "Headline")
    assert await scene.titles() == {A: "Made up"}
    scene.recorder = other
    await scene.come(A, "Headline")
    assert await scene.titles() == {A: "Headline"}


async def test_the_last_title_of_a_batch_is_kept(scene: TitleScene) -> None:
    await scene.come(A, "Third")
    await scene.play(*(scene.arrival(page=page(A), title=title) for title in ("First", "Second", None, "Third", None)))
    assert await scene.titles() == {A: "Third"}


async def test_a_repeated_arrival_brings_the_title_that_was_set_later(scene: TitleScene) -> None:
    arrival = scene.arrival(page=page(A), title="Loading…")
    await scene.land(arrival)
    repeated = scene.arrival(page=page(A), title="Headline", nonce=arrival.nonce, at=arrival.at + 3_000)
    assert (await scene.land(repeated)).duplicate
    assert await scene.titles() == {A: "Headline"}


async def test_a_share_of_another_page_never_gives_it_the_title_of_the_visits_first_page(scene: TitleScene) -> None:
    visit = await scene.come(A, "Title of A")
    await scene.share(visit, B, "Title of A")
    assert await scene.titles() == {A: "Title of A", B: None}
    await scene.come(B, "Title of B")
    await scene.share(visit, B, "Title of A", 1)
    assert await scene.titles() == {A: "Title of A", B: "Title of B"}


async def test_a_share_corrects_the_title_of_its_page(scene: TitleScene) -> None:
    visit = await scene.come(A, "Loading…")
    await scene.share(visit, A, "Title of A")
    await scene.share(visit, B, "Title of B", 1)  # a route of a single-page app
    assert await scene.titles() == {A: "Title of A", B: "Title of B"}
    await scene.share(visit, A, None, 2)
    assert await scene.titles() == {A: "Title of A", B: "Title of B"}


async def test_a_title_that_changes_with_each_visitor_is_not_stored_without_end(scene: TitleScene) -> None:
    for number in range(MAX_TITLE_CHANGES + 20):
        await scene.come(A, f"Hello {number}")
    assert await scene.titles() == {A: f"Hello {MAX_TITLE_CHANGES}"}
