"""Slow hashes of what people remember: argon2id (RFC 9106) with 19 MiB, two passes, one lane
(OWASP).
"""

import functools

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from idp.crypto.secrets import random_token
from idp.crypto.unhurried import unhurried

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(text: str) -> str:
    """Return an argon2id string that carries its parameters and its salt."""
    return unhurried(lambda: _HASHER.hash(text))


@functools.cache
def nobodys_hash() -> str:
    """Return a hash that nothing anybody types matches: checking it takes as long as any. Made once
    in each process.
    """
    return hash_password(random_token())


def is_password(hashed: str, text: str) -> bool:
    """Tell whether `hashed` was made of `text`."""
    try:
        return unhurried(lambda: _HASHER.verify(hashed, text))
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(hashed: str) -> bool:
    """Tell whether a hash that matched was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(hashed)
