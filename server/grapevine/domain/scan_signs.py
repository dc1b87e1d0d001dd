"""What an opening itself shows of a program that checks mails: bits of ``flags`` of a visit's row.

They are signs of the opening's own address and browser alone. What others do on the same network is no sign, so no
visitor can add to the evidence against another one.
"""

from __future__ import annotations

from typing import Final

DATA_CENTRE: Final = 64
"""It came from a network of ``GRAPEVINE_SCANNER_NETWORKS``."""
OLD_ENGINE: Final = 128
"""Its Chromium is a year and a half behind the current one: people's browsers renew themselves."""
NO_LANGUAGE: Final = 256
"""It sent no ``Accept-Language``, which every browser that a person uses does; old headless engines send none."""

SIGNS: Final = DATA_CENTRE | OLD_ENGINE | NO_LANGUAGE
