"""Icons of the share buttons: from widget/icons, else brands from simple-icons."""

import re
from pathlib import Path

import minify
from simple_icons_pack import get_icon

from widget.build.modules import BuildError

DRAWN_ICONS = (
    "copy", "email", "facebook", "linkedin", "native", "pocket", "print", "qr", "slack", "sms", "teams", "telegram",
    "whatsapp", "x",
)  # fmt: skip
"""Channels with a file in widget/icons: what simple-icons lacks, and default buttons that it draws with more steps than
an icon of 20 pixels shows. Drawn with fewer, those four make the buttons' part 240 bytes smaller."""
BRAND_ICONS = {
    **{
        name: name
        for name in (
            "bluesky", "discord", "flipboard", "instagram", "kakaotalk", "line", "mastodon", "messenger", "pinterest",
            "reddit", "signal", "snapchat", "threads", "tumblr", "viber", "vk", "wechat", "xing",
        )
    },
    "hackernews": "ycombinator", "weibo": "sinaweibo",
}  # fmt: skip
"""Channel → slug of simple-icons."""
INLINE = ("linkedin", "copy", "whatsapp", "email", "telegram", "facebook", "x", "native")
"""The default buttons, in the order that compresses best: their channels are built into the buttons' part; every other
one has a data file."""


def icon_path(svg: str) -> str:
    """Returns the path of an SVG icon on a 24 × 24 field, as it is on one of 120 × 120, where whole numbers suffice."""
    rounded = re.sub(r'\sd="([^"]+)"', lambda d: f' d="{round_path(d[1])}"', svg)
    paths = re.findall(r'\sd="?([^">]+)"?', minify.string("image/svg+xml", rounded))
    if not paths or len(paths) != rounded.count("<path") or 'viewBox="0 0 24 24"' not in svg:
        raise BuildError(f"an icon must be made of paths on a 24 × 24 field, this one is not: {svg[:80]}")
    return "".join(paths)


ARGUMENTS = {
    "M": "xy",
    "L": "xy",
    "T": "xy",
    "H": "x",
    "V": "y",
    "C": "xyxyxy",
    "S": "xyxy",
    "Q": "xyxy",
    "A": "rr-ffxy",
    "Z": "",
}
SCALE = 5
"""A fifth of a unit is 0.17 pixels of an icon of 20; without decimal points the buttons' part is 120 bytes smaller."""
NUMBER, FLAG = r"[\s,]*([-+]?(?:\d*\.\d+|\d+))", r"[\s,]*([01])"


def round_path(path: str) -> str:
    """Returns a path with relative steps of fifths. Rounds positions, not steps, so that errors do not add up."""
    out: list[str] = []
    here, begin, drawn = {"x": 0.0, "y": 0.0}, {"x": 0.0, "y": 0.0}, {"x": 0, "y": 0}
    for command, text in re.findall(r"([a-zA-Z])([^a-zA-Z]*)", path):
        kinds = ARGUMENTS[command.upper()]  # of an arc: two radii, an angle, two flags
        pattern = "".join(FLAG if kind == "f" else NUMBER for kind in kinds)
        for count, arguments in enumerate(re.finditer(pattern, text) if kinds else [re.match("", text)]):
            steps, end, target = [], dict(here), dict(drawn)
            for kind, value in zip(kinds, map(float, arguments.groups() if arguments else ()), strict=True):
                if kind in end:
                    end[kind] = value + (here[kind] if command.islower() else 0)
                    target[kind] = round(end[kind] * SCALE)
                    steps.append(target[kind] - drawn[kind])
                else:
                    steps.append(round(value * SCALE) if kind == "r" else int(value))
            here, drawn = end, target
            if command in "Mm" and not count:
                begin = dict(here)
            if command in "Zz":
                here, drawn = dict(begin), {axis: round(at * SCALE) for axis, at in begin.items()}
            out.append(("l" if command in "Mm" and count else command.lower()) + " ".join(map(str, steps)))
    return "".join(out)


def icon_paths(folder: Path) -> dict[str, str]:
    """Returns channel → path of every icon; `folder` has the drawn ones."""
    drawn = {name: (folder / f"{name}.svg").read_text(encoding="utf-8") for name in DRAWN_ICONS}
    brands = {name: get_icon(slug) for name, slug in BRAND_ICONS.items()}
    if absent := [name for name, icon in brands.items() if icon is None]:
        raise BuildError(
            f"widget/build/icons.py: simple-icons has no {', '.join(absent)}; icon_paths it in widget/icons or drop it"
        )
    return {name: icon_path(svg) for name, svg in {**drawn, **{n: i.svg for n, i in brands.items() if i}}.items()}
