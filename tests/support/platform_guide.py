"""The platforms of docs/embedding.md, made from `sites/platforms.toml`; `python -m tests.support.platform_guide` writes
them into it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from grapevine.sites.platforms import Platform, pasted_code, platforms
from grapevine.store.rows import SiteRow

GUIDE: Final = Path(__file__).resolve().parents[2] / "docs/embedding.md"
BEGIN: Final = "<!-- platforms: written by python -m tests.support.platform_guide -->\n"
END: Final = "<!-- /platforms -->\n"
READ: Final = "2026-11-30"
SITE: Final = SiteRow(
    site_id=1,
    key="SITE_KEY",
    name="My shop",
    salt="00",
    param="gv",
    place="auto",
    query="*",
    created_at=1_800_000_000_000,
    origins=("https://www.example.com",),
)


def rendered() -> str:
    """Returns a section for each platform, for a site with the usual settings."""
    return "\n".join(_section(platform, SITE) for platform in platforms())


def in_guide() -> str:
    """Returns what stands in the guide."""
    return GUIDE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]


def _section(platform: Platform, site: SiteRow) -> str:
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(platform.steps, 1))
    code = pasted_code(platform, site, "https://share.example.com")
    mind = "\n".join(f"- {line}" for line in platform.mind)
    source = f"\n[{platform.name}’s own page]({platform.docs}), read {READ}.\n" if platform.docs else ""
    return f"### {platform.name}\n\n{steps}\n\n```{platform.language}\n{code}\n```\n\n{mind}\n{source}"


if __name__ == "__main__":
    text = GUIDE.read_text("utf-8")
    GUIDE.write_text(text.replace(BEGIN + in_guide() + END, BEGIN + rendered() + END), "utf-8")
