"""What of an entry goes into the Merkle tree: the bytes that a leaf is the hash of.

One line that names the format, then the entry as JSON: keys sorted, no spaces, ASCII with escapes.
docs/explanation/audit-log.md defines it for those who verify with programs of their own.
"""

import json
from collections.abc import Mapping
from typing import Any

from idp.crypto.merkle import leaf_hash
from idp.crypto.secrets import keyed_digest_of

FORMAT = b"doorward-audit-entry/v1\n"
SEAL_BYTES = 16
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=True).encode


def content(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry as others get to see it; `row` has its `detail` as text.

    A detail that somebody made unreadable stays the text that it is.
    """
    return {
        "account_id": row["account_id"],
        "actor": row["actor"],
        "address": row["address"],
        "at_ms": row["at_ms"],
        "client_id": row["client_id"],
        "detail": _parsed(row["detail"]),
        "event": row["event"],
        "id": row["id"],
        "outcome": row["outcome"],
        "request_id": row["request_id"],
    }


def bytes_of(row: Mapping[str, Any]) -> bytes:
    """Return the bytes of an entry's leaf."""
    return FORMAT + _ENCODE(content(row)).encode("ascii")


def hash_of(row: Mapping[str, Any]) -> bytes:
    """Return the hash of an entry's leaf."""
    return leaf_hash(bytes_of(row))


def seal_of(key: bytes, position: int, leaf: bytes) -> bytes:
    """Return what ties a leaf to its position: by it a changed leaf is told from all others."""
    digest = keyed_digest_of(key, b"audit-leaf", position.to_bytes(8, "big") + leaf)
    return digest[:SEAL_BYTES]


def dropped_seal_of(key: bytes, origin: str, dropped: int) -> bytes:
    """Return the proof that we deleted the entries before a position, their time being over."""
    return keyed_digest_of(key, b"audit-dropped", dropped.to_bytes(8, "big") + origin.encode())


def _parsed(detail: Any) -> Any:
    try:
        return json.loads(detail)
    except (TypeError, ValueError, RecursionError):
        return detail
