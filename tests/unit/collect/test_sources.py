"""Where a visit comes from: each of the closed set, which evidence wins, and what is kept of it."""

from __future__ import annotations

import pytest

from grapevine.collect.sources import source_of
from grapevine.domain.enums import SOURCE_NAMES
from grapevine.domain.urls import Page

ORIGIN = "https://a.example"
ORIGINS = frozenset({ORIGIN, "https://b.a.example"})


def found(
    referrer: str = "", app: str | None = None, url: str = f"{ORIGIN}/deep", home: bool = False
) -> tuple[str, str | None]:
    origin = source_of(Page(1, url, is_home=home), url, referrer, app, ORIGINS)
    return SOURCE_NAMES[origin.source], origin.app


def test_nobody_knows() -> None:
    assert found() == ("direct-deep", None)
    assert found(home=True) == ("direct-home", None)


@pytest.mark.parametrize(
    "parameter", ["utm_source", "utm_medium", "utm_campaign", "utm_id", "UTM_Source", "amp;utm_medium"]
)
def test_a_campaign_wins_over_every_referrer_and_keeps_the_app(parameter: str) -> None:
    url = f"{ORIGIN}/deep?{parameter}=x"
    assert found("https://www.google.com/", url=url) == ("campaign", None)
    assert found(app="instagram", url=url) == ("campaign", "instagram")


@pytest.mark.parametrize(
    ("query", "source", "app"),
    [
        ("utm_source=chatgpt.com", "assistant", "chatgpt"),
        ("utm_source=www.Perplexity.ai", "assistant", "perplexity"),
        ("id=7&UTM_SOURCE=openai", "assistant", "chatgpt"),
        ("utm_source=copilot.com&utm_medium=referral", "assistant", "copilot"),
        ("utm_source=chatgpt.com&utm_campaign=spring", "campaign", None),
        ("utm_source=openai&utm_id=7", "campaign", None),
        ("utm_source=google.com", "campaign", None),
        ("utm_source=notchatgpt.com", "campaign", None),
        ("utm_source=", "campaign", None),
        ("utm_medium=chatgpt.com", "campaign", None),
        ("utm_source=chatgpt.com.letter.example", "campaign", None),
    ],
)
def test_an_assistant_is_known_by_its_tag(query: str, source: str, app: str | None) -> None:
    assert found(url=f"{ORIGIN}/deep?{query}") == (source, app)
    assert found("https://www.google.com/", url=f"{ORIGIN}/deep?{query}") == (source, app)


@pytest.mark.parametrize("referrer", [f"{ORIGIN}/", "https://b.a.example/x", "HTTPS://A.EXAMPLE/x"])
def test_own_pages_are_internal(referrer: str) -> None:
    assert found(referrer) == ("internal", None)


def test_a_subdomain_that_is_no_origin_is_foreign() -> None:
    assert found("https://other.a.example/") == ("referral", None)


@pytest.mark.parametrize(
    "referrer", ["about:blank", "https://", "https:///x", "x", "https://[::1/", "ftp://x.example/"]
)
def test_a_referrer_that_cannot_be_read_counts_as_none(referrer: str) -> None:
    assert found(referrer) == ("direct-deep", None)
    assert found(referrer, app="line") == ("messenger", "line")


@pytest.mark.parametrize(
    ("referrer", "source", "app"),
    [
        ("https://www.google.com/", "search", None),
        ("https://www.google.co.uk/", "search", None),
        ("https://duckduckgo.com/", "search", None),
        ("https://gemini.google.com/", "assistant", "gemini"),
        ("https://www.meta.ai/", "assistant", "meta-ai"),
        ("https://chat.qwen.ai/", "assistant", "qwen"),
        ("https://yiyan.baidu.com/", "assistant", "ernie"),
        ("https://www.baidu.com/", "search", None),
        ("https://lumo.proton.me/", "assistant", "lumo"),
        ("https://docs.google.com/document/d/1", "referral", None),
        ("https://drive.google.com/", "referral", None),
        ("https://chat.google.com/", "messenger", "google-chat"),
        ("https://mail.google.com/", "email", None),
        ("https://mail.google.com/chat/u/0/", "messenger", "google-chat"),
        ("https://outlook.office.com/", "email", None),
        ("https://t.co/Q8fJ2sKxLm", "social", None),
        ("https://l.facebook.com/", "social", None),
        ("https://old.reddit.com/r/x", "social", None),
        ("https://go.bsky.app/", "social", None),
        ("https://lnkd.in/x", "social", None),
        ("https://app.slack.com/client", "messenger", "slack"),
        ("https://web.whatsapp.com/", "messenger", "whatsapp"),
        ("https://web.telegram.org/", "messenger", "telegram"),
        ("https://teams.cloud.microsoft/", "messenger", "teams"),
        ("https://statics.teams.cdn.office.net/evergreen-assets/safelinks/2/atp-safelinks.html", "messenger", "teams"),
        ("https://ptb.discord.com/", "messenger", "discord"),
        ("https://l.messenger.com/", "messenger", "messenger"),
        ("https://googleads.g.doubleclick.net/", "referral", None),
        ("https://baker.example/blogroll/", "referral", None),
        ("https://xn--bcher-kva.example/", "referral", None),
        ("https://notslack.com/", "referral", None),
        ("https://notchatgpt.com/", "referral", None),
        ("https://mp.weixin.qq.com/", "messenger", "wechat"),
        ("https://discord.gg/", "messenger", "discord"),
        ("https://open.kakao.com/", "messenger", "kakaotalk"),
        ("https://www.bilibili.com/", "social", None),
        ("https://on.soundcloud.com/", "social", None),
        ("https://tieba.baidu.com/", "social", None),
        ("https://assistant.kagi.com/", "assistant", "kagi-assistant"),
        ("https://kagi.com/", "search", None),
        ("https://huggingface.co/chat/conversation/1", "assistant", "huggingchat"),
        ("https://huggingface.co/models", "referral", None),
        ("https://www.qianwen.com/", "assistant", "qwen"),
        ("https://api.whatsapp.com/", "messenger", "whatsapp"),
        ("https://digg.com/", "social", None),
        ("https://www.icloud.com/mail/", "email", None),
        ("https://www.google.com./", "search", None),
        ("https://www.google.com:443/search?q=" + "x" * 4_000, "search", None),
        (f"{ORIGIN}/?q={'x' * 4_000}", "internal", None),
    ],
)
def test_referrers_of_the_web(referrer: str, source: str, app: str | None) -> None:
    assert found(referrer) == (source, app)


@pytest.mark.parametrize(
    ("package", "source", "app"),
    [
        ("com.Slack", "messenger", "slack"),
        ("org.telegram.messenger", "messenger", "telegram"),
        ("org.thunderdog.challegram", "messenger", "telegram"),
        ("com.whatsapp", "messenger", "whatsapp"),
        ("com.whatsapp.w4b", "messenger", "whatsapp"),
        ("com.facebook.orca", "messenger", "messenger"),
        ("org.thoughtcrime.securesms", "messenger", "signal"),
        ("com.viber.voip", "messenger", "viber"),
        ("com.tencent.mm", "messenger", "wechat"),
        ("jp.naver.line.android", "messenger", "line"),
        ("com.kakao.talk", "messenger", "kakaotalk"),
        ("com.microsoft.teams", "messenger", "teams"),
        ("com.discord", "messenger", "discord"),
        ("com.snapchat.android", "messenger", "snapchat"),
        ("com.google.android.apps.messaging", "messenger", "sms"),
        ("com.facebook.katana", "social", "facebook"),
        ("com.instagram.android", "social", "instagram"),
        ("com.instagram.barcelona", "social", "threads"),
        ("com.twitter.android", "social", "x"),
        ("com.linkedin.android", "social", "linkedin"),
        ("com.pinterest", "social", "pinterest"),
        ("com.reddit.frontpage", "social", "reddit"),
        ("com.zhiliaoapp.musically", "social", "tiktok"),
        ("m.facebook.com", "social", "facebook"),  # some apps write the host that they show
        ("com.google.android.gm", "email", "com.google.android.gm"),
        ("com.microsoft.office.outlook", "email", "com.microsoft.office.outlook"),
        ("ch.protonmail.android", "email", "ch.protonmail.android"),
        ("com.google.android.googlequicksearchbox", "search", "com.google.android.googlequicksearchbox"),
        ("com.openai.chatgpt", "assistant", "chatgpt"),
        ("com.anthropic.claude", "assistant", "claude"),
        ("tv.danmaku.bili", "social", "tv.danmaku.bili"),
        ("com.nobody.knows", "referral", "com.nobody.knows"),
    ],
)
def test_referrers_of_android(package: str, source: str, app: str) -> None:
    assert found(f"android-app://{package}") == (source, app)
    assert found(f"ANDROID-APP://{package}/https/a.example/deep") == (source, app)


@pytest.mark.parametrize(
    ("package", "app"),
    [
        ("org.Example.Reader_2", "org.example.reader_2"), ("a.b", "a.b"), (f"a.{'b' * 98}", f"a.{'b' * 98}"),
        (f"a.{'b' * 99}", None), ("x" * 2_000, None), ("reader", None), ("org..reader", None), ("1org.reader", None),
        ("org.reader ", None), ("org.reader\n", None), ("org.lés", None), ("org.a-b", None), ("(other)", None),
        ("<b>.org", None), (".", None), ("org.", None),
    ],
)  # fmt: skip
def test_an_app_without_the_syntax_of_a_package_is_none(package: str, app: str | None) -> None:
    assert found(f"android-app://{package}") == ("referral", app)


def test_what_a_visitor_may_have_invented_is_marked() -> None:
    def listed(referrer: str, app: str | None = None) -> bool:
        url = f"{ORIGIN}/deep"
        return source_of(Page(1, url, is_home=False), url, referrer, app, ORIGINS).listed

    assert listed("android-app://com.slack")
    assert listed("android-app://com.google.android.gm")
    assert not listed("android-app://anything.com.google.android.gm")
    assert not listed("android-app://com.nobody.knows")
    assert listed("android-app://com.nobody.knows", "facebook")
    assert listed("https://web.whatsapp.com/")
    assert listed("")


def test_an_android_referrer_without_a_package_tells_nothing() -> None:
    assert found("android-app://") == ("direct-deep", None)


@pytest.mark.parametrize(
    ("app", "source"),
    [
        ("messenger", "messenger"), ("line", "messenger"), ("wechat", "messenger"), ("kakaotalk", "messenger"),
        ("telegram", "messenger"), ("slack", "messenger"), ("teams", "messenger"), ("discord", "messenger"),
        ("snapchat", "messenger"), ("viber", "messenger"), ("whatsapp", "messenger"), ("instagram", "social"),
        ("facebook", "social"), ("threads", "social"), ("tiktok", "social"), ("linkedin", "social"),
        ("pinterest", "social"), ("x", "social"), ("reddit", "social"),
    ],
)  # fmt: skip
def test_in_app_browsers(app: str, source: str) -> None:
    assert found(app=app) == (source, app)


def test_a_referrer_wins_over_the_app_that_it_is_opened_in() -> None:
    assert found("https://www.google.com/", app="line") == ("search", "line")
    assert found("https://baker.example/", app="facebook") == ("referral", "facebook")


def test_a_redirect_of_the_company_does_not_hide_which_of_its_apps_it_was() -> None:
    assert found("https://l.facebook.com/l.php?u=x", app="messenger") == ("messenger", "messenger")
    assert found("https://l.facebook.com/l.php?u=x", app="instagram") == ("social", "instagram")
    assert found("https://l.facebook.com/l.php?u=x") == ("social", None)
