"""Classification of agent strings: no reader is classified as a robot, and no robot that names itself as a reader.

Strings that the lists lack are in ``list_overrides.toml``, each with a test; those here were seen elsewhere.
"""

from __future__ import annotations

import pytest

from grapevine.collect.list_overrides import list_overrides
from grapevine.collect.user_agents import read_agent, robots_listed
from grapevine.domain.enums import DEVICES

IOS = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
ANDROID = "Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 Chrome/140 Mobile Safari/537.36"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) {} Safari/537.36"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"


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
        (f"Mozilla/5.0 (Linux; Android 13; SM-X700) {BLINK} Safari/537.36", None, "tablet"),
        (IOS + " [FBAN/FBIOS;FBAV/450.0.0.38.108;FBDV/iPhone14,5]", "facebook", "phone"),
        (ANDROID + " [FB_IAB/FB4A;FBAV/263.0.0.46.121;]", "facebook", "phone"),
        (ANDROID + " MetaIAB Facebook", "facebook", "phone"),
        (IOS + " [FBAN/MessengerForiOS;FBAV/450.0.0.38.108]", "messenger", "phone"),
        (IOS + " [FBAN/MessengerForiOS;FBDV/iPhone11,2;FBMD/iPhone;FBSN/iOS;FBSV/12.4.1]", "messenger", "phone"),
        (ANDROID + " [FB_IAB/Orca-Android;FBAV/360.0.0.30.112;]", "messenger", "phone"),
        (IOS + " Instagram 320.0.0.0 (iPhone14,5; iOS 17_4)", "instagram", "phone"),
        (IOS + " Barcelona 289.0.0.18.109 (iPhone14,7; iOS 17_0)", "threads", "phone"),
        (IOS + " [LinkedInApp]/9.27.5", "linkedin", "phone"),
        (IOS + " Safari Line/13.0.0", "line", "phone"),
        (IOS + " MicroMessenger/8.0.38(0x1800262c) NetType/WIFI Language/en", "wechat", "phone"),
        (ANDROID + ";KAKAOTALK 2410260", "kakaotalk", "phone"),
        (IOS + " KAKAOTALK/11.3.1 (INAPP)", "kakaotalk", "phone"),
        (IOS + " Snapchat/12.49.0.30 (like Safari/8615.3.12, panda)", "snapchat", "phone"),
        (IOS + " Viber/20.0", "viber", "phone"),
        (ANDROID + " Telegram-Android/10.0.5 (Google Pixel 7; Android 13; SDK 33; HIGH)", "telegram", "phone"),
        (IOS + " Twitter for iPhone/10.20", "x", "phone"),
        (IOS + " musical_ly_34.3.1 JsSdk/2.0 NetType/4G Channel/App Store", "tiktok", "phone"),
        (IOS + " [Pinterest/iOS]", "pinterest", "phone"),
        (DESKTOP.format("Slack/4.33.84 Chrome/116 Electron/25"), "slack", "desktop"),
        (DESKTOP.format("Chrome/147.0.0.0") + " Edg/147.0.0.0 Teams/26106.2110.4675.2592 (50)", "teams", "desktop"),
        (DESKTOP.format("discord/0.0.248 Chrome/56.0.2924.87 Discord/1.6.11"), "discord", "desktop"),
        (DESKTOP.format("WhatsApp/0.3.557 Chrome/59.0.3071.115 Electron/1.8.6"), "whatsapp", "desktop"),
        # Phones and apps whose names sound like robots.
        (f"Mozilla/5.0 (Linux; Android 10; CUBOT P40) {BLINK} Mobile Safari/537.36", None, "phone"),
        (f"Mozilla/5.0 (Linux; Android 10; CUBOT) {BLINK} Mobile Safari/537.36", None, "phone"),
        (f"Mozilla/5.0 (Linux; Android 7.0; M bot 51) {BLINK} Mobile Safari/537.36", None, "phone"),
        (f"Mozilla/5.0 (Linux; Android 13; Spider 8) {BLINK} Mobile Safari/537.36", None, "phone"),
        (
            f"Mozilla/5.0 (Linux; Android 14; wv) {BLINK} Mobile Safari/537.36 CamScanner/4.8.5.2310271827",
            None,
            "phone",
        ),
        (f"Mozilla/5.0 (Linux; Android 10; K) {BLINK} Mobile Safari/537.36 (Ecosia android@140.0.0.0)", None, "phone"),
        (DESKTOP.format("Cursor/3.0.16 Chrome/142.0.7444.265 Electron/39.8.1"), None, "desktop"),
    ],
)
def test_people(agent: str, app: str | None, device: str) -> None:
    found = read_agent(agent)
    assert (found.robot, found.suspect, found.preview) == (False, False, None)
    assert (found.app, found.device) == (app, DEVICES[device])


@pytest.mark.parametrize("agent", ["", "curl/8.5.0", "python-requests/2.32", "Mozilla/5.0 (compatible; bingbot/2.0)"])
def test_robots(agent: str) -> None:
    found = read_agent(agent)
    assert found.robot
    assert found.preview is None


DRIVEN = [
    DESKTOP.format("HeadlessChrome/140.0.0.0"),
    DESKTOP.format("HeadlessChrome/120.0.0.0") + " Puppeteer",
    DESKTOP.format("Chrome/120.0.0.0") + " Playwright/1.40.0",
    DESKTOP.format("Chrome/120.0.0.0") + "; Selenium",
    DESKTOP.format("Cypress/3.3.2 Chrome/61.0.3163.100 Electron/2.0.18"),
    "Mozilla/5.0 (Macintosh; Intel Mac OS X) AppleWebKit/534.34 (KHTML, like Gecko) PhantomJS/1.6.0 Safari/534.34",
    "Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/22.1.0",
    DESKTOP.format("Chrome/132.0.0.0") + "; Manus-User/1.0",
]


@pytest.mark.parametrize("agent", DRIVEN)
def test_a_driven_browser_is_a_suspect_and_no_robot(agent: str) -> None:
    found = read_agent(agent)
    assert found.suspect
    assert not found.robot


@pytest.mark.parametrize(
    "agent",
    [
        DESKTOP.format("Chrome/98.0.4695.0") + " Chrome-Lighthouse",
        DESKTOP.format("HeadlessChrome/98.0.4695.0") + " Chrome-Lighthouse",
        DESKTOP.format("Chrome/117.0.0.0") + " GTmetrix",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 Ghost Inspector (+https://x.example)",
    ],
)
def test_measuring_tools_name_themselves_even_in_a_driven_browser(agent: str) -> None:
    found = read_agent(agent)
    assert found.robot
    assert not found.suspect


def test_a_browser_within_an_app_of_its_own_is_no_driven_one() -> None:
    assert not read_agent(DESKTOP.format("Code/1.115.0 Chrome/142.0.7444.265 Electron/39.8.5")).suspect


def test_every_robot_of_the_list_that_is_no_suspect_is_refused() -> None:
    people = {row.pattern for row in list_overrides().reader if row.instead is None} | {"MetaIAB Facebook"}
    taken = [
        instance
        for entry in robots_listed()
        if entry.tags != ("browser-automation",) and entry.pattern not in people
        for instance in entry.instances
        if len(instance) <= 512 and not read_agent(instance).robot and not read_agent(instance).suspect
    ]
    assert taken == []
