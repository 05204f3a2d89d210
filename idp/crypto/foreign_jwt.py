"""Signed tokens that others made (RFC 7515, RFC 7519): client assertions, request objects.

They need neither `kid` nor `typ`, and which algorithm is right stands in a registration. Nothing
in one may be believed before `signed_by` or `signed_with` said yes.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from idp.crypto.compact import BadToken, decode, media_type, read_object, split
from idp.crypto.jwt import PublicKey

HMACS = ("HS256",)
"""The `alg` values whose key is a client secret (RFC 7518 section 3.2)."""
UNSIGNED = "none"
_LONGEST_KID = 256


@dataclass(frozen=True)
class ForeignToken:
    """A token as it was written. `typ` is as it is compared, "" where there is none."""

    algorithm: str
    kid: str | None
    typ: str
    claims: dict[str, Any] = field(repr=False)
    _message: bytes = field(repr=False)
    _signature: bytes = field(repr=False)

    def signed_by(self, key: PublicKey) -> bool:
        """Whether the private half of `key` signed it, by the algorithm of both."""
        return key.algorithm == self.algorithm and key.verify(self._signature, self._message)

    def signed_with(self, secret: str) -> bool:
        """Whether it was signed by HMAC-SHA-256 with the UTF-8 octets of a client secret."""
        expected = hmac.digest(secret.encode(), self._message, hashlib.sha256)
        return self.algorithm in HMACS and hmac.compare_digest(expected, self._signature)

    @property
    def unsigned(self) -> bool:
        """Whether it is an Unsecured JWS (RFC 7515 appendix A.5)."""
        return self.algorithm == UNSIGNED and not self._signature


def bare(claims: bytes) -> ForeignToken:
    """Return claims that no token is around, as an unsigned one. Raises BadToken."""
    return ForeignToken(UNSIGNED, None, "", read_object(claims, "claims"), b"", b"")


def read(token: str) -> ForeignToken:
    """Take a token apart. Raises BadToken; extensions are refused, since none is understood."""
    header_part, claims_part, signature_part = split(token)
    header = read_object(decode(header_part), "header")
    if "crit" in header or "b64" in header:
        raise BadToken("an extension that is not understood")  # RFC 7515 section 4.1.11, RFC 7797
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or not isinstance(typ, str):
        raise BadToken("alg and typ must be texts")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= _LONGEST_KID):
        raise BadToken("kid is no short text")
    return ForeignToken(
        algorithm,
        kid,
        media_type(typ),
        read_object(decode(claims_part), "claims"),
        header_part + b"." + claims_part,
        decode(signature_part),
    )
