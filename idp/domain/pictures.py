"""What a picture is, by its first bytes: never by its name or by what its server says of it.

PNG (W3C PNG section 5), GIF (GIF89a section 17 and 18), JPEG (ITU-T T.81 annex B), WebP (RFC 9649).
SVG is none: it is a document, and can hold scripts and references.
"""

import struct
from collections.abc import Callable

LARGEST_SIDE = 4096
_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Start-of-frame markers, which tell height and width."""
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""


def media_type(picture: bytes) -> str | None:
    """Return the media type of a picture of at most 4096 by 4096 pixels; None for anything else."""
    for name, sides in _READERS.items():
        try:
            found = sides(picture)
        except (struct.error, IndexError):
            continue
        if found is not None:
            return name if all(0 < side <= LARGEST_SIDE for side in found) else None
    return None


def _png(picture: bytes) -> tuple[int, ...] | None:
    if not picture.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"):
        return None
    return struct.unpack_from(">II", picture, 16)


def _gif(picture: bytes) -> tuple[int, ...] | None:
    if not picture.startswith((b"GIF87a", b"GIF89a")):
        return None
    return struct.unpack_from("<HH", picture, 6)


def _jpeg(picture: bytes) -> tuple[int, ...] | None:
    """Walk from segment to segment up to the frame; each tells its own length."""
    if not picture.startswith(b"\xff\xd8\xff"):
        return None
    place = 2
    while picture[place] == 0xFF:
        marker = picture[place + 1]
        if marker in _JPEG_SIZES:
            return struct.unpack_from(">HH", picture, place + 5)
        alone = marker in _JPEG_ALONE or marker == 0xFF
        length = 0 if alone else struct.unpack_from(">H", picture, place + 2)[0]
        place += (1 if marker == 0xFF else 2) + length
    return None


def _webp(picture: bytes) -> tuple[int, ...] | None:
    if picture[:4] != b"RIFF" or picture[8:12] != b"WEBP":
        return None
    kind = picture[12:16]
    if kind == b"VP8 " and picture[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", picture, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and picture[20] == 0x2F:
        bits = struct.unpack_from("<I", picture, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        sides = picture[24:27], picture[27:30]
        return tuple(int.from_bytes(side, "little") + 1 for side in sides if len(side) == 3)
    return None


_READERS: dict[str, Callable[[bytes], tuple[int, ...] | None]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
}
MEDIA_TYPES = tuple(_READERS)
