"""``grapevine feeds``: names feeds as the API does, and says what it refuses."""

from __future__ import annotations

from tests.cli.terminal import Terminal

TAG = "https://mastodon.social/tags/bread.rss"


def test_a_feed_is_added_listed_and_removed(run: Terminal) -> None:
    site = run.add_site()
    assert "no feeds" in run("feeds", "list", site).out
    added = run("feeds", "add", site, TAG, "--name", "#bread", "--json").json
    assert (added["url"], added["name"]) == (TAG, "#bread")
    assert run("feeds", "list", site, "--json").json == [added]
    table = run("feeds", "list", site).out
    assert added["id"] in table
    assert TAG in table
    hosted = run("feeds", "add", site, "https://news.example/feed", "--json").json
    assert hosted["name"] == "news.example"
    assert run("feeds", "remove", site, added["id"]).out == f"Removed {added['id']}.\n"
    assert run("feeds", "list", site, "--json").json == [hosted]


def test_what_cannot_be_is_refused_in_one_sentence(run: Terminal) -> None:
    site, other = run.add_site("Lees"), run.add_site("Dregs")
    added = run("feeds", "add", site, TAG, "--json").json
    for words, said in (
        (("add", site, TAG), "is the address of a feed of this site already"),
        (("add", site, "http://127.0.0.1:9/feed"), "must have port 80"),
        (("add", site, "ftp://news.example/feed"), "must begin with http"),
        (("add", site, "https://news.example/" + "a" * 3_000), "url"),
        (("add", site, "https://news.example/2", "--name", "n" * 101), "at most 100 characters; this one has 101"),
        (("add", site, "https://news.example/2", "--name", "\u202e"), "must be text that can be read"),
        (("remove", other, added["id"]), "This site has no feed"),
    ):
        done = run("feeds", *words)
        assert done.status == (1 if words[0] == "remove" else 2), words
        assert said in done.err, done.err
        assert done.err.count("\n") == 1, done.err
    assert run("feeds", "list", site, "--json").json == [added]
    assert run("feeds", "list", other, "--json").json == []
