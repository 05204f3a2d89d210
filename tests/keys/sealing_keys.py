"""Key-encryption keys for tests: random enough to be accepted, the same in every process."""

import base64
import hashlib

KEY = hashlib.sha256(b"a key of the tests").digest()
OTHER_KEY = hashlib.sha256(b"another key of the tests").digest()


def text_of(key: bytes) -> str:
    """Return a key as it is written down."""
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()
