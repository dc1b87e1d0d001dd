"""What agent strings tell: nobody who reads is taken for a robot, and no robot that names itself for a reader."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from grapevine.collect.agents import read_agent
from grapevine.sets import DEVICES

IOS = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
ANDROID = "Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 Chrome/140 Mobile Safari/537.36"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) {} Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "app", "device"),
    [
        (DESKTOP.format("Chrome/140.0.0.0"), None, "desktop"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", None, "desktop"),
        (ANDROID, None, "phone"),
        (IOS + " Safari/604.1", None, "phone"),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Safari/604.1",
            None,
            "tablet",
        ),
        ("Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36", None, "tablet"),
        (IOS + " [FBAN/FBIOS;FBAV/450.0.0.38.108;FBDV/iPhone14,5]", "facebook", "phone"),
        (IOS + " [FBAN/MessengerForiOS;FBAV/450.0.0.38.108]", "messenger", "phone"),
        (ANDROID + " [FB_IAB/Orca-Android;FBAV/360.0.0.30.112;]", "messenger", "phone"),
        (IOS + " Instagram 320.0.0.0 (iPhone14,5; iOS 17_4)", "instagram", "phone"),
        (IOS + " Barcelona 289.0.0.18.109 (iPhone14,7; iOS 17_0)", "threads", "phone"),
        (IOS + " [LinkedInApp]/9.27.5", "linkedin", "phone"),
        (IOS + " Safari Line/13.0.0", "line", "phone"),
        (IOS + " MicroMessenger/8.0.38(0x1800262c) NetType/WIFI Language/en", "wechat", "phone"),
        (ANDROID + ";KAKAOTALK 2410260", "kakaotalk", "phone"),
        (IOS + " Snapchat/12.49.0.30 (like Safari/8615.3.12, panda)", "snapchat", "phone"),
        (IOS + " Viber/20.0", "viber", "phone"),
        (ANDROID + " Telegram-Android/10.0.5 (Google Pixel 7; Android 13; SDK 33; HIGH)", "telegram", "phone"),
        (DESKTOP.format("Slack/4.33.84 Chrome/116 Electron/25"), "slack", "desktop"),
    ],
)
def test_people(agent: str, app: str | None, device: str) -> None:
    found = read_agent(agent)
    assert not found.robot
    assert (found.app, found.device) == (app, DEVICES[device])


@pytest.mark.parametrize(
    ("agent", "app"),
    [
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "slack"),
        ("TelegramBot (like TwitterBot)", "telegram"),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "discord"),
        ("WhatsApp/2.23.20.0 A", "whatsapp"),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebook"),
        ("Twitterbot/1.0", "x"),
        ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", "linkedin"),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", "teams"),
        ("Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)", "bluesky"),
        ("http.rb/5.1.1 (Mastodon/4.2.0; +https://mastodon.example/)", "mastodon"),
    ],
)
def test_preview_robots_name_their_app(agent: str, app: str) -> None:
    found = read_agent(agent)
    assert found.robot
    assert found.preview == app


@pytest.mark.parametrize("agent", ["", "curl/8.5.0", "python-requests/2.32", "Mozilla/5.0 (compatible; bingbot/2.0)"])
def test_robots(agent: str) -> None:
    found = read_agent(agent)
    assert found.robot
    assert found.preview is None


def test_a_driven_browser_is_a_suspect_and_no_robot() -> None:
    found = read_agent(DESKTOP.format("HeadlessChrome/140.0.0.0"))
    assert found.suspect
    assert not found.robot


def test_every_robot_of_the_list_that_is_no_suspect_is_refused() -> None:
    entries = json.loads(files("crawleruseragents").joinpath("crawler-user-agents.json").read_text("utf-8"))
    taken = [
        instance
        for entry in entries
        if entry.get("tags") != ["browser-automation"]
        for instance in entry.get("instances", [])
        if len(instance) <= 512 and not read_agent(instance).robot and not read_agent(instance).suspect
    ]
    assert taken == []
