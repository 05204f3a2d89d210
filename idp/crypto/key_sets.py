"""Public keys of others as JWK Sets (RFC 7517 section 5): read with limits, chosen with care.

Keys are parsed when they are used, not before: a set may hold twenty.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from idp.crypto import jwe
from idp.crypto.algorithms import ALGORITHMS
from idp.crypto.compact import BadToken, decode
from idp.crypto.jwk import BadKey
from idp.crypto.jwt import PublicKey

MOST_KEYS = 20
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MEMBERS = {
    "RSA": frozenset({"n", "e"}),
    "EC": frozenset({"crv", "x", "y"}),
    "OKP": frozenset({"crv", "x"}),
}
_CURVES = {"EC": frozenset({"P-256", "P-384", "P-521"}), "OKP": frozenset({"Ed25519"})}
_SMALLEST_RSA, _LARGEST_RSA = 2048, 8192
_LONGEST_EXPONENT = 4
"""Bytes: a longer one makes each verification slow."""
_LONGEST_MEMBER = 1500
_LONGEST_KID = 256
_OPERATIONS = {
    "sig": frozenset({"verify"}),
    "enc": frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"}),
}


@dataclass(frozen=True)
class ForeignKey:
    """A public key of somebody else, and what it says of itself.

    `jwk` holds kty and the key alone; `use`, `algorithm` and `kid` are None where nothing is said.
    """

    kid: str | None
    key_type: str
    use: str | None
    algorithm: str | None
    operations: frozenset[str] | None
    jwk: Mapping[str, str] = field(repr=False, hash=False)

    def is_for(self, algorithm: str, use: str) -> bool:
        """Whether it may serve `algorithm`, for `use`: "sig" or "enc" (RFC 8725 section 3.1)."""
        scheme = ALGORITHMS.get(algorithm)
        needed = scheme.key_type if use == "sig" and scheme else jwe.KEY_TYPES.get(algorithm)
        if self.key_type != needed or self.use not in {None, use}:
            return False
        if self.operations is not None and not self.operations & _OPERATIONS[use]:
            return False
        return self.algorithm in {None, algorithm} or (
            use == "enc" and str(self.algorithm).startswith("ECDH-ES") and needed == "EC"
        )

    def verifier(self, algorithm: str) -> PublicKey:
        """Return it as a key that verifies signatures of `algorithm`. Raises BadKey."""
        scheme, key = ALGORITHMS[algorithm], self._parsed()
        if not scheme.accepts(key):
            raise BadKey(f"not a key for {algorithm}")
        return PublicKey(self.kid or "", algorithm, scheme, key)

    def _parsed(self) -> Any:
        try:
            key = JWKRegistry.import_key(dict(self.jwk), self.key_type).public_key
        except (JoseError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadKey("not a JWK of its type") from error
        too_long = isinstance(key, rsa.RSAPublicKey) and key.key_size > _LARGEST_RSA
        too_short = isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA
        if too_long or too_short:
            raise BadKey(f"an RSA key has {_SMALLEST_RSA} to {_LARGEST_RSA} bits")
        return key


def read(document: Any) -> list[ForeignKey]:
    """Return the keys of a set that can be used here; what is not understood is left out.

    Raises BadKey for what is no set, for more than 20 keys, and where a private key is in it: that
    one is everybody's.
    """
    return [key for key in _each(document) if isinstance(key, ForeignKey)]


def check(document: Any) -> None:
    """Raise BadKey unless every key of a set can be used here."""
    found = list(_each(document))
    if not found:
        raise BadKey("it has no keys")
    for key in found:
        if isinstance(key, BadKey):
            raise key
        # Only arithmetic shows whether a point is on its curve.
        key._parsed()
    kids = [key.kid for key in found if isinstance(key, ForeignKey)]
    if len(kids) > 1 and (None in kids or len(set(kids)) < len(kids)):
        raise BadKey("several keys need a kid each")


def choose(
    keys: Sequence[ForeignKey], kid: str | None, algorithm: str, use: str
) -> list[ForeignKey]:
    """Return the keys that may serve. Without a `kid` a signature needs the one that fits.

    Where several fit, OpenID Connect Core section 10.1 demands a `kid`.
    """
    fit = [key for key in keys if key.is_for(algorithm, use)]
    if kid is not None:
        return [key for key in fit if key.kid == kid]
    return fit if use == "enc" or len(fit) == 1 else []


def _each(document: Any) -> Iterator[ForeignKey | BadKey]:
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list):
        raise BadKey("it must be an object with a list of keys")
    if len(keys) > MOST_KEYS:
        raise BadKey(f"it has more than {MOST_KEYS} keys")
    for jwk in keys:
        if isinstance(jwk, Mapping) and not jwk.keys().isdisjoint(_PRIVATE):
            raise BadKey("it holds a private or symmetric key: publish public ones only")
        try:
            yield _one(jwk)
        except BadKey as error:
            yield error


def _one(jwk: Any) -> ForeignKey:
    if not isinstance(jwk, Mapping):
        raise BadKey("a key must be an object")
    kty = jwk.get("kty")
    if not isinstance(kty, str) or kty not in _MEMBERS:
        raise BadKey("a key's kty must be RSA, EC or OKP")
    found = {"kty": kty, **{name: _member(jwk, name) for name in sorted(_MEMBERS[kty])}}
    if kty in _CURVES and found["crv"] not in _CURVES[kty]:
        raise BadKey(f"a key's crv must be {', '.join(sorted(_CURVES[kty]))}")
    if kty == "RSA":
        _check_rsa(found)
    kid, use, algorithm = (_said(jwk, name) for name in ("kid", "use", "alg"))
    return ForeignKey(kid, kty, use, algorithm, _operations(jwk.get("key_ops")), found)


def _operations(said: Any) -> frozenset[str] | None:
    if said is None:
        return None
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        raise BadKey("key_ops must be a list of texts")
    return frozenset(said)


def _member(jwk: Mapping[str, Any], name: str) -> str:
    value = jwk.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_MEMBER:
        raise BadKey(f"a key's {name} must be a text")
    return value


def _said(jwk: Mapping[str, Any], name: str) -> str | None:
    value = jwk.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_KID:
        raise BadKey(f"a key's {name} must be a short text")
    return value


def _check_rsa(found: Mapping[str, str]) -> None:
    """Before any arithmetic: a huge key would take long."""
    try:
        modulus, exponent = (decode(found[name].encode("ascii")) for name in ("n", "e"))
    except (BadToken, UnicodeEncodeError) as error:
        raise BadKey("a key's n and e must be base64url") from error
    bits = int.from_bytes(modulus, "big").bit_length()
    if not _SMALLEST_RSA <= bits <= _LARGEST_RSA:
        raise BadKey(f"an RSA key has {_SMALLEST_RSA} to {_LARGEST_RSA} bits")
    if len(exponent.lstrip(b"\0")) > _LONGEST_EXPONENT:
        raise BadKey("an RSA key's e is small")
