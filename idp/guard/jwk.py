"""Public keys (RFC 7517) and the algorithms that they verify (RFC 7518, RFC 8037, RFC 9864).

A key is parsed once and kept. It serves its own algorithms alone, so that neither `none` nor an
HMAC under a public key can pass (RFC 8725 section 3.1).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from idp.guard.compact import decode
from idp.guard.errors import InvalidToken

MOST_KEYS = 100
_RSA_BITS = range(2048, 8192 + 1)
_LARGEST_EXPONENT = 2**32
_SHA256 = hashes.SHA256()
_CURVES: Mapping[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
}
Check = Callable[[bytes, bytes], None]


@dataclass(frozen=True)
class Key:
    """One published key: what it is called, and how it checks (signature, message)."""

    kid: str
    checks: Mapping[str, Check] = field(repr=False)

    def verify(self, algorithm: str, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` over `message` is this key's, made by `algorithm`."""
        check = self.checks.get(algorithm)
        if check is None:
            return False
        try:
            check(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def key_set(document: Mapping[str, Any]) -> tuple[Key, ...]:
    """Return the keys of a JWK Set that can verify. Raises InvalidToken when it is no such set.

    What is not understood is left out (RFC 7517 section 5).
    """
    jwks = document.get("keys")
    if not isinstance(jwks, list) or len(jwks) > MOST_KEYS:
        raise InvalidToken("no list of keys, or too many")
    return tuple(_usable(jwks))


def _usable(jwks: list[Any]) -> Iterable[Key]:
    for jwk in jwks:
        if not isinstance(jwk, Mapping) or not _verifies(jwk):
            continue
        try:
            checks = _KINDS[jwk["kty"]](jwk)
        except (KeyError, TypeError, ValueError, InvalidToken):
            continue
        named = [jwk["alg"]] if "alg" in jwk else list(checks)
        yield Key(jwk["kid"], {name: check for name, check in checks.items() if name in named})


def _verifies(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    meant = jwk.get("use", "sig") == "sig" and isinstance(operations, list)
    return meant and "verify" in operations and isinstance(jwk.get("kid"), str)


def _octets(jwk: Mapping[str, Any], name: str) -> bytes:
    return decode(jwk[name].encode("ascii") if isinstance(jwk[name], str) else b"")


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_octets(jwk, name), "big")


def _elliptic(jwk: Mapping[str, Any]) -> Mapping[str, Check]:
    """ECDSA with r and s side by side, each as long as the curve's order (RFC 7518 section 3.4)."""
    curve, size = _CURVES[jwk["crv"]]
    numbers = ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), curve)
    key = numbers.public_key()
    name, digest = ("ES256", _SHA256) if size == 32 else ("ES384", hashes.SHA384())

    def check(signature: bytes, message: bytes) -> None:
        if len(signature) != 2 * size:
            raise ValueError("wrong length")
        r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))

    return {name: check}


def _rsa(jwk: Mapping[str, Any]) -> Mapping[str, Check]:
    modulus, exponent = _number(jwk, "n"), _number(jwk, "e")
    # Before any arithmetic: a huge key would take long.
    if modulus.bit_length() not in _RSA_BITS or exponent > _LARGEST_EXPONENT:
        raise ValueError("an odd size")
    key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    pss = padding.PSS(padding.MGF1(_SHA256), _SHA256.digest_size)

    def checks(scheme: padding.AsymmetricPadding) -> Check:
        return lambda signature, message: key.verify(signature, message, scheme, _SHA256)

    return {"RS256": checks(padding.PKCS1v15()), "PS256": checks(pss)}


def _edwards(jwk: Mapping[str, Any]) -> Mapping[str, Check]:
    if jwk["crv"] != "Ed25519":
        raise ValueError("another curve")
    key = ed25519.Ed25519PublicKey.from_public_bytes(_octets(jwk, "x"))

    def check(signature: bytes, message: bytes) -> None:
        key.verify(signature, message)

    return {"EdDSA": check, "Ed25519": check}


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Check]]] = {
    "EC": _elliptic,
    "RSA": _rsa,
    "OKP": _edwards,
}
ALGORITHMS = frozenset({"ES256", "ES384", "PS256", "RS256", "EdDSA", "Ed25519"})
"""The `alg` values that can be verified."""
