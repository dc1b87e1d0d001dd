"""A smaller PNG of a screenshot: 256 of its colours, and for every other colour the nearest of them.

A page has few colours, and thousands of shades at the edges of its letters. Half of the palette are the most frequent
colours; the rest are those that would otherwise be farthest off, so that a small icon keeps its own. The same pixels
give the same bytes.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Final

from playwright.async_api import Page

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_REDUCE: Final = """async png => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const {data} = context.getImageData(0, 0, image.width, image.height);
  const counts = new Map();
  for (let i = 0; i < data.length; i += 4) {
    const colour = data[i] << 16 | data[i + 1] << 8 | data[i + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const far = (a, b) =>
    ((a >> 16) - (b >> 16)) ** 2 + ((a >> 8 & 255) - (b >> 8 & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2;
  const colours = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([colour, count]) => (
    {colour, count, off: Infinity, index: 0}
  ));
  const palette = [];
  const take = ({colour}) => {
    for (const one of colours) {
      const off = far(one.colour, colour);
      if (off < one.off) {
        Object.assign(one, {off, index: palette.length});
      }
    }
    palette.push(colour);
  };
  colours.slice(0, 128).forEach(take);
  while (palette.length < 256) {
    const worst = colours.reduce((a, b) => b.off * b.count > a.off * a.count ? b : a);
    if (!worst.off) break;
    take(worst);
  }
  const nearest = new Map(colours.map(({colour, index}) => [colour, index]));
  let pixels = '';
  for (let i = 0; i < data.length; i += 4) {
    pixels += String.fromCharCode(nearest.get(data[i] << 16 | data[i + 1] << 8 | data[i + 2]));
  }
  return {width: image.width, height: image.height, palette, pixels: btoa(pixels)};
}"""


async def palette_png(page: Page, screenshot: bytes) -> bytes:
    """Returns ``screenshot``, an opaque PNG, with at most 256 colours; ``page`` is any page that allows scripts."""
    found = await page.evaluate(_REDUCE, base64.b64encode(screenshot).decode())
    width, height, pixels = found["width"], found["height"], base64.b64decode(found["pixels"])
    rows = b"".join(b"\0" + pixels[start : start + width] for start in range(0, width * height, width))
    colours = b"".join(colour.to_bytes(3, "big") for colour in found["palette"])
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", colours),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk as PNG (ISO/IEC 15948, 5.3) writes it: length, type, content, CRC of the latter two."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
