"""The smallest pictures of each kind, of a width and height, and what is none."""

import struct
import zlib

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def png(width: int = 36, height: int = 36) -> bytes:
    """W3C PNG: signature, header, one chunk of pixels, end."""
    pixels = zlib.compress(b"\0" * (height * (width + 1)) if width < 5000 else b"")
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, *zip(*chunks, strict=True)))


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def gif(width: int = 36, height: int = 36) -> bytes:
    """GIF89a, logical screen only."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b";"


def jpeg(width: int = 36, height: int = 36) -> bytes:
    """A JFIF segment, a padding byte, then the frame (ITU-T T.81 annex B)."""
    jfif = b"\xff\xe0\x00\x10JFIF\0" + bytes(9)
    frame = b"\xff\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width) + bytes(10)
    return b"\xff\xd8" + jfif + frame + b"\xff\xd9"


def webp(width: int = 36, height: int = 36, kind: bytes = b"VP8X") -> bytes:
    """RFC 9649: the extended, the lossless and the lossy form."""
    if kind == b"VP8X":
        content = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif kind == b"VP8L":
        content = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14)
    else:
        content = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    chunk = kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk
