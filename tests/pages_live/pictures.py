"""Smaller PNG files: a palette of the 256 most frequent colours, which is plenty for a page."""

from __future__ import annotations

import base64
import struct
import zlib

from playwright.sync_api import Page

# The browser decodes the picture and gives each pixel its place in the palette.
INDEX = """async (source) => {
  const image = await createImageBitmap(await (await fetch(source)).blob());
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const palette = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([colour]) => colour);
  const parts = (colour) => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
  const known = palette.map(parts);
  const places = new Map(palette.map((colour, place) => [colour, place]));
  for (const colour of counts.keys()) {
    if (places.has(colour)) continue;
    const wanted = parts(colour);
    const far = known.map((each) => each.reduce((sum, v, i) => sum + (v - wanted[i]) ** 2, 0));
    places.set(colour, far.indexOf(Math.min(...far)));
  }
  const indices = Uint8Array.from(pixels, (pixel) => places.get(pixel));
  return { width, height, palette: known.flat(), indices: indices.toBase64() };
}"""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def lean(blank: Page, png: bytes) -> bytes:
    """The same picture with at most 256 colours. `blank` is a page without a content policy."""
    found = blank.evaluate(INDEX, "data:image/png;base64," + base64.b64encode(png).decode())
    width, height = found["width"], found["height"]
    indices = base64.b64decode(found["indices"])
    lines = b"".join(b"\0" + indices[at : at + width] for at in range(0, len(indices), width))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", bytes(found["palette"]))
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )
