"""CSV as spreadsheets read it: its byte order mark, and texts that look like formulas."""

from __future__ import annotations

import csv
import io

import pytest

from grapevine.exports.columns import columns
from grapevine.exports.formats import Csv

pytestmark = pytest.mark.anyio

TEXT_AND_NUMBERS = columns(text="text", whole="whole", amount="money", share="number")


async def encoded(text: str, *, bom: bool = True) -> bytes:
    """A file of one line with this text."""
    encoder = Csv(TEXT_AND_NUMBERS, bom=bom)
    return await encoder.add([(text, -3, -1_500_000, -0.5)]) + await encoder.end()


async def test_the_mark_comes_once_and_can_be_left_out() -> None:
    whole = await encoded("Zoë 漢字")
    assert whole == b"\xef\xbb\xbftext,whole,amount,share\r\n" + "Zoë 漢字,-3,-1.50,-0.5\r\n".encode()
    assert await encoded("Zoë 漢字", bom=False) == whole[3:]
    for bom, header in ((True, b"\xef\xbb\xbftext,"), (False, b"text,")):
        assert (await Csv(TEXT_AND_NUMBERS, bom=bom).end()).startswith(header)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠SUM(A1)", "﹦1", "﹢1", "﹣1", "﹫A1", "−1",
        " =1+1", "\u3000＝1", "\u00a0@A1", "\t=1", "\rtext", "\ntext", "\r\n=1", "  \n =1", "-3", "\ttext",
    ],
)  # fmt: skip
async def test_a_formula_begins_with_an_apostrophe(text: str) -> None:
    ((_, (cell, *numbers)),) = [tuple(csv.reader(io.StringIO((await encoded(text)).decode("utf-8-sig"), newline="")))]
    assert cell.startswith("'")
    assert numbers == ["-3", "-1.50", "-0.5"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain; text = 1", "plain; text = 1"),
        ("a=b", "a=b"),
        ('quote "so"', 'quote "so"'),
        ("two\nlines", "two\nlines"),
        ("https://a.example/?a=1&b=-2", "https://a.example/?a=1&b=-2"),
        ("x;=1+1", "x;'=1+1"),
        ('x; "=1+1', "x;' \"=1+1"),
        ("x\n=1+1", "x\n'=1+1"),
        ("x\r\n ＝1+1", "x\r\n' ＝1+1"),
        ("=1;=2;+3", "'=1;'=2;'+3"),
    ],
)
async def test_a_spreadsheet_of_semicolons_begins_no_formula(text: str, shown: str) -> None:
    text = (await encoded(text)).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline="")))[1][0] == shown
