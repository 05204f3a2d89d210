"""QR codes, drawn into the page: nothing is fetched, and no policy is in their way."""

import segno


def qr_svg(text: str) -> str:
    """Return a QR code as an SVG element, black on white with its quiet zone, without a size.

    Of the text it holds nothing but the modules, so a template may print it as it is.
    """
    code = segno.make(text, error="m", micro=False)
    # White stays white in the dark: scanners want it so.
    return str(code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff", svgclass="qr"))


def in_groups(key: str, size: int = 4) -> str:
    """Return a key in groups, which are read and typed more easily."""
    return " ".join(key[at : at + size] for at in range(0, len(key), size))
