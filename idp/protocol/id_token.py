"""What an ID token says: OpenID Connect Core sections 2, 3.1.3.6 and 3.3.2.11.

The one place where its body is put together; which key signs it is the mint's business.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TYPE = "JWT"
UNSIGNED = "none"
"""The algorithm of tokens that are not signed."""
_HASHES = {
    "RS256": hashlib.sha256,
    "PS256": hashlib.sha256,
    "ES256": hashlib.sha256,
    "ES384": hashlib.sha384,
    # Its signature works with SHA-512 (OpenID Connect Token Hash Algorithms 1.0 section 3).
    "EdDSA": hashlib.sha512,
    "Ed25519": hashlib.sha512,
    "HS256": hashlib.sha256,
}
SECRET_ALGORITHMS = ("HS256",)
"""Those whose key is the client's secret."""
KEY_ALGORITHMS = tuple(name for name in _HASHES if name not in SECRET_ALGORITHMS)
"""Those of our keys."""
ALGORITHMS = (*KEY_ALGORITHMS, *SECRET_ALGORITHMS)


@dataclass(frozen=True)
class Bindings:
    """What an ID token is bound to, so that none of it can be exchanged for another's.

    `nonce` is the request's; `access_token`, `code` and `state` are what is handed out together
    with it, as they are: the token holds hashes of them.
    """

    nonce: str | None = None
    access_token: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    state: str | None = None

    def claims(self, algorithm: str) -> dict[str, str]:
        """Return `nonce`, `at_hash`, `c_hash` and `s_hash` (FAPI 1.0 part 2 section 5.1.1).

        Without a signature there is no algorithm to hash with.
        """
        hashed = {"at_hash": self.access_token, "c_hash": self.code, "s_hash": self.state}
        nonce = {} if self.nonce is None else {"nonce": self.nonce}
        return nonce | {
            name: half_hash(value, algorithm)
            for name, value in hashed.items()
            if value is not None and algorithm in _HASHES
        }


@dataclass(frozen=True)
class IdTokenContent:
    """Everything that an ID token tells its client. `auth_time` is in seconds since 1970.

    `sid` names the session to this client (Back-Channel Logout section 2.1). `about` are claims
    about the person; none of them can replace one that is set here.
    """

    subject: str
    client_id: str
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    sid: str | None = None
    bindings: Bindings = Bindings()
    about: Mapping[str, Any] = field(default_factory=dict)

    def body(self, issuer: str, now: int, lifetime: int, algorithm: str) -> dict[str, Any]:
        """Return the claims to sign with `algorithm`; the token lives `lifetime` seconds."""
        return {
            **self.about,
            "iss": issuer,
            "sub": self.subject,
            "aud": self.client_id,
            "iat": now,
            "exp": now + lifetime,
            "auth_time": self.auth_time,
            "acr": self.acr,
            "amr": list(self.amr),
            **({"sid": self.sid} if self.sid else {}),
            **self.bindings.claims(algorithm),
        }


def half_hash(value: str, algorithm: str) -> str:
    """Return the left half of the hash that belongs to the signature's algorithm
    (section 3.1.3.6).
    """
    hashed = _HASHES[algorithm](value.encode("utf-8", "replace")).digest()
    return urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()
