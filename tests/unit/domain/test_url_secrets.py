"""Secrets in URLs: which parameters are one, and that none is left in the URL of a page."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.domain.url_secrets import parameter_shows_secret, path_without_secrets, shows_secret
from grapevine.domain.urls import page_id, page_of

ORIGINS = frozenset({"https://a.example"})
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"

NAMES = """
email e-mail e_mail mail userEmail user_email email2 mailaddress token access_token id_token accesstoken resetToken
data[token] auth authorization authentication oauth_verifier code reset_code oobCode OTPCode authcode passcode key
api_key apikey apiKey APIKey APIKEY x-api-key AWSAccessKeyId Key-Pair-Id private_key licensekey password passwd pwd
pw pass passphrase user[password] secret client_secret session session_id sessionid sid connect.sid PHPSESSID
jsessionid ASPSESSIONIDABC signature sig X-Amz-Signature X-Amz-Credential X-Amz-Security-Token X-Goog-Signature
hmac jwt SAMLResponse otp totp pin userPIN ssn cvv cvc iban phone phone_number phoneNumber phonenumber tel
telephone csrf _xsrf csrfmiddlewaretoken credentials cookie bearer
""".split()

SENTRY = """
password passwd secret api_key apikey auth credentials mysql_pwd privatekey private_key token session csrftoken
sessionid x_csrftoken set_cookie cookie authorization x_api_key aiohttp_session connect.sid csrf_token csrf _csrf
_csrf_token PHPSESSID _session user_session _xsrf XSRF-TOKEN
""".split()
"""Sentry's DEFAULT_DENYLIST, without the headers that name an address and the cookie of one framework."""

RAILS = "passw email secret token api_key access_key otp ssn cvv cvc".split()
"""What a new Rails application keeps out of its logs, without `crypt`, `salt` and `certificate`, which name content."""

OPENTELEMETRY = "AWSAccessKeyId Signature sig X-Goog-Signature".split()
"""The parameters that its conventions for `url.query` ask to redact."""

CONTENT = """
id page q query search author authority authors keyword keywords monkey keyboard design side inside sidebar
postcode zipcode barcode decode coded spin pinned opinion hotel telescope passage compass bypass mailing smartphone
headphones signal sign sort order lang country state ticket hash
""".split()


@pytest.mark.parametrize("name", [*NAMES, *SENTRY, *RAILS, *OPENTELEMETRY])
def test_names_of_secrets(name: str) -> None:
    in_capitals = name.upper() if name == name.lower() else name  # which have no words in camel case
    for spelled in (name, in_capitals, quote(name, safe=""), f"%{ord(name[0]):02x}{name[1:]}"):
        for value in ("", "1", "a.b"):
            assert parameter_shows_secret(f"{spelled}={value}"), spelled


@pytest.mark.parametrize("name", CONTENT)
def test_names_of_content(name: str) -> None:
    for spelled in (name, name.upper(), name.capitalize(), f"{name}_id", f"post_{name}", f"{name}[]"):
        assert not parameter_shows_secret(f"{spelled}=1")


@pytest.mark.parametrize(
    ("piece", "is_secret"),
    [
        (f"x={JWT}", True),
        (f"x=Bearer+{JWT}", True),
        ("x=eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", True),
        ("x=bob@example.com", True),
        ("x=Bob%20%3Cbob%40example.com%3E", True),
        ("x=mailto:b.o-b+x@mail.example.co.uk", True),
        ("x=b%C3%BCb%40b%C3%BCcher.example", True),
        ("bob@example.com", True),
        ("next=%2Fset%3Fcode%3D5", True),
        ("next=%252Fset%253Fid%253D5%2526code%253D5", True),
        ("next=https%3A%2F%2Fa.example%2F%23access_token%3D5", True),
        ("next=%2Fset%3Fmail%3Dbob%2540example.com", True),
        ("next=/set;jsessionid=5", True),
        ("next=%2Fset-password%3Fid%3D5", False),
        ("q=token", False),
        ("q=how+to+reset+a+password", False),
        ("token", False),
        ("x=@bob@social.example", False),
        ("x=logo@2x.png", False),
        ("x=pkg@1.2.3-beta.4", False),
        ("x=a@b", False),
        ("x=eyjafjallajokull.is.example", False),
        ("", False),
        ("=", False),
        ("%", False),
        ("x=%zz%", False),
    ],
)
def test_parameters(piece: str, is_secret: bool) -> None:
    assert parameter_shows_secret(piece) is is_secret
    assert shows_secret(f"?a=1&{piece}&b=2") is is_secret


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/a/b", "/a/b"),
        ("/a;jsessionid=1A", "/a"),
        ("/a;v=1;sid=2;w=3/b;token=x", "/a;v=1;w=3/b"),
        (f"/reset/{JWT}/", "/reset/*/"),
        ("/leave/bob%40example.com", "/leave/*"),
        ("/reset/token=5", "/reset/*"),
        ("/token/5", "/token/5"),
        ("/logo@2x.png", "/logo@2x.png"),
        ("/%E6%97%A5/@bob", "/%E6%97%A5/@bob"),
    ],
)
def test_paths(path: str, kept: str) -> None:
    assert path_without_secrets(path) == kept


def test_pages_that_differ_in_a_secret_are_one() -> None:
    pages = {page_of(1, f"https://a.example/reset?code={code}&id=5", ORIGINS, "gv", None) for code in range(50)}
    assert {(page.page_id, page.url) for page in pages} == {
        (page_id(1, "https://a.example/reset?id=5"), "https://a.example/reset?id=5")
    }


def test_a_listed_name_keeps_what_looks_like_a_secret() -> None:
    kept = frozenset({"code"})
    url = "https://a.example/shop?code=A1&token=T&id=5"
    assert page_of(1, url, ORIGINS, "gv", kept).url == "https://a.example/shop?code=A1"
    mail = "https://a.example/shop?code=bob@example.com"
    assert page_of(1, mail, ORIGINS, "gv", kept).url == mail


def test_a_home_page_with_a_secret_is_the_home_page() -> None:
    assert page_of(1, "https://a.example/?code=5", ORIGINS, "gv", None).is_home


WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=0, max_size=8)
VALUES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~", min_size=8, max_size=40).map("Z{}".format)
PIECES = st.lists(st.builds("{}={}".format, WORDS, WORDS), max_size=4)


@given(PIECES, PIECES, st.sampled_from(NAMES), VALUES, st.sampled_from(["", "_", "-", ".", "["]), WORDS, WORDS)
def test_the_value_of_a_secret_is_never_in_the_url_of_a_page(
    before: list[str], after: list[str], name: str, value: str, joint: str, prefix: str, suffix: str
) -> None:
    named = f"{prefix}{joint}{name}{joint}{suffix}" if joint else name
    query = "&".join([*before, f"{named}={value}", *after])
    for url in (f"https://a.example/x?{query}", f"https://a.example/x?to={quote(f'/y?{query}', safe='')}"):
        assert value not in page_of(1, url, ORIGINS, "gv", None).url


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    assert shows_secret(text) in (True, False)
    assert path_without_secrets(path_without_secrets(text)) == path_without_secrets(text)
