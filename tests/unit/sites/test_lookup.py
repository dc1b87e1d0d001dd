"""Sites by what somebody types for them."""

from __future__ import annotations

import pytest

from grapevine.errors import Forbidden, UnknownSite
from grapevine.sites.lookup import called_alike, is_key_shaped, site_named
from grapevine.store.rows import SiteRow


def site(number: int, name: str, *origins: str) -> SiteRow:
    return SiteRow(
        site_id=number, key=f"{number:016}", name=name, salt="", param="gv", place="auto", query="*", created_at=0,
        origins=origins,
    )  # fmt: skip


SHOP = site(1, "My Shop", "https://shop.example", "https://www.shop.example:8443")
BLOG = site(2, "Straße", "https://xn--mnchen-3ya.example")
TWIN, OTHER_TWIN = site(3, "Twin", "https://a.example"), site(4, "twin ", "https://b.example")
NAMED_AS_A_HOST = site(5, "a.example", "https://c.example")
NAMED_AS_A_KEY = site(6, SHOP.key, "https://d.example")
SITES = [SHOP, BLOG, TWIN, OTHER_TWIN, NAMED_AS_A_HOST, NAMED_AS_A_KEY]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (SHOP.key, SHOP),
        (f" {SHOP.key} ", SHOP),
        ("My Shop", SHOP),
        ("  my   shop ", SHOP),
        ("https://shop.example/", SHOP),
        ("shop.example", SHOP),
        ("www.shop.example", SHOP),
        ("WWW.shop.example:8443", SHOP),
        ("STRASSE", BLOG),
        ("\uff4d\uff59 shop", SHOP),
        ("münchen.example", BLOG),
        (OTHER_TWIN.key, OTHER_TWIN),
        ("b.example", OTHER_TWIN),
        ("c.example", NAMED_AS_A_HOST),
    ],
)
def test_a_key_a_name_an_origin_or_a_host(typed: str, found: SiteRow) -> None:
    assert site_named(SITES, typed) is found


@pytest.mark.parametrize(
    ("typed", "candidates"), [("TWIN", (TWIN, OTHER_TWIN)), ("a.example", (TWIN, NAMED_AS_A_HOST))]
)
def test_several_are_never_chosen_among(typed: str, candidates: tuple[SiteRow, ...]) -> None:
    with pytest.raises(UnknownSite, match="may be any of 2 sites, so name it by its key") as refused:
        site_named(SITES, typed)
    for each in candidates:
        assert f"{each.key} ({each.name}, {each.origins[0]})" in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("my shpo", f"did you mean {SHOP.key} (My Shop, https://shop.example "),
        ("shop.exmple", f"did you mean {SHOP.key}"),
        ("straßen", f"did you mean {BLOG.key}"),
        ("xyzzy", "the key or name 'xyzzy'; `grapevine site list` shows all of them"),
        ("*.example", "`grapevine site list` shows all of them"),
        ("", "`grapevine site list` shows all of them"),
    ],
)
def test_one_that_is_not_there(typed: str, says: str) -> None:
    with pytest.raises(UnknownSite) as refused:
        site_named(SITES, typed)
    assert says in str(refused.value)


def test_before_the_first_site_and_for_an_api_key() -> None:
    with pytest.raises(UnknownSite, match="there is none yet; see `grapevine site add --help`"):
        site_named([], "shop")
    with pytest.raises(Forbidden, match="secret of an API key") as refused:
        site_named(SITES, "gv_" + "x" * 40)
    assert "xxx" not in str(refused.value)


def test_many_candidates_are_cut() -> None:
    many = [site(number, "Same", f"https://s{number}.example") for number in range(100)]
    with pytest.raises(UnknownSite, match=r"any of 100 sites.* and 90 more$"):
        site_named(many, "same")


def test_who_has_the_same_name_and_what_looks_like_a_key() -> None:
    assert called_alike(SITES, TWIN) == [OTHER_TWIN]
    assert called_alike(SITES, SHOP) == []
    assert is_key_shaped(SHOP.key)
    assert not any(map(is_key_shaped, ("My Shop", "é" * 16, "a-bcdefghijklmno", "")))
