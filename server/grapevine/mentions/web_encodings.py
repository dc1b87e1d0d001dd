"""The encodings in which pages and feeds of the web are written (Encoding Standard, section 4.2).

Python knows others, some of which take time without bound: ``punycode`` is quadratic.
"""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = re.compile(
    r"utf-?8|utf-16(?:le|be)?|us-ascii|ascii|latin-?1|iso-8859-\d{1,2}|windows-(?:125\d|874)|cp125\d|koi8-[ru]|macintosh"
    r"|gbk|gb2312|gb18030|big5|euc-jp|euc-kr|iso-2022-jp|shift_jis",
    re.IGNORECASE,
)


def is_web_encoding(name: str) -> bool:
    """Returns whether ``name`` is that of an encoding of the web."""
    return _NAMES.fullmatch(name) is not None
