"""Entries as lines for other programs: JSON, and the Common Event Format (CEF 0).

One entry is one line, whatever outsiders got into it (SECURITY case 144).
"""

import ipaddress
import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Literal

from idp.domain.audit_log.leaves import content

Format = Literal["jsonl", "cef"]
Line = Callable[[Mapping[str, Any]], str]
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_DONE, _REFUSED = 3, 6
"""Severities, of 10."""
_VENDOR = "Doorward"


def json_line(row: Mapping[str, Any]) -> str:
    """Return an entry as JSON: what its leaf is made of, and its position. ASCII alone."""
    return _ENCODE({**content(row), "position": row["position"]})


def cef_line(row: Mapping[str, Any]) -> str:
    """Return an entry in the Common Event Format."""
    entry = content(row)
    severity = _REFUSED if entry["outcome"] == "refused" else _DONE
    event = str(entry["event"])
    name = event.replace(".", " ").replace("_", " ")
    header = [_VENDOR, _VENDOR, version("doorward"), event, name, str(severity)]
    extension: dict[str, Any] = {
        "rt": entry["at_ms"],
        "externalId": entry["id"],
        "outcome": entry["outcome"],
        **_source(str(entry["address"])),
        **_labelled(
            actor=entry["actor"],
            account=entry["account_id"],
            client=entry["client_id"],
            request=entry["request_id"],
            detail=_ENCODE(entry["detail"]),
        ),
        "cn1Label": "position",
        "cn1": row["position"],
    }
    known = {key: value for key, value in extension.items() if value not in {None, ""}}
    said = " ".join(f"{key}={_value(str(value))}" for key, value in known.items())
    return "|".join(["CEF:0", *map(_header, header), said])


LINES: Mapping[str, Line] = {"jsonl": json_line, "cef": cef_line}


def _labelled(**values: Any) -> dict[str, Any]:
    """Put values into the fields cs1 to cs6, which say by a label what they hold."""
    fields: dict[str, Any] = {}
    for number, (label, value) in enumerate(values.items(), 1):
        if value:
            fields |= {f"cs{number}Label": label, f"cs{number}": value}
    return fields


def _source(address: str) -> dict[str, str]:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return {}
    if isinstance(parsed, ipaddress.IPv4Address):
        return {"src": address}
    return {"c6a2Label": "Source IPv6 Address", "c6a2": address}


def _header(text: str) -> str:
    return _printable(text).replace("|", "\\|")


def _value(text: str) -> str:
    return _printable(text).replace("=", "\\=")


def _printable(text: str) -> str:
    """Escape what CEF escapes everywhere, and show what would steer a terminal."""
    known = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
    return "".join(
        known.get(letter, letter if letter.isprintable() else f"\\\\u{ord(letter):04x}")
        for letter in text
    )
