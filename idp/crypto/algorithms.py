"""Signature algorithms of JOSE (RFC 7518, RFC 8037, RFC 9864), each bound to one type of key.

They call cryptography directly: through a JOSE library an ES256 signature costs twice as much.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

_RSA_BITS = 2048
_RSA_EXPONENT = 65537


@dataclass(frozen=True)
class Algorithm:
    """How keys of one `alg` value are made and used.

    `key_type` is the JWK's `kty`; `accepts` tells whether a public key fits.
    """

    name: str
    key_type: str
    generate: Callable[[], Any]
    sign: Callable[[Any, bytes], bytes]
    check: Callable[[Any, bytes, bytes], None]
    accepts: Callable[[Any], bool]

    def verify(self, public_key: Any, signature: bytes, message: bytes) -> bool:
        """Tell whether the private half of `public_key` made `signature` over `message`."""
        try:
            self.check(public_key, signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _elliptic(name: str, curve: ec.EllipticCurve, digest: hashes.HashAlgorithm) -> Algorithm:
    """ECDSA with r and s side by side, each as long as the curve's order (RFC 7518 section 3.4)."""
    scheme = ec.ECDSA(digest)
    size = (curve.key_size + 7) // 8

    def sign(private_key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
        r, s = decode_dss_signature(private_key.sign(message, scheme))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def check(public_key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
        if len(signature) != 2 * size:
            raise ValueError("wrong length")
        r = int.from_bytes(signature[:size], "big")
        s = int.from_bytes(signature[size:], "big")
        public_key.verify(encode_dss_signature(r, s), message, scheme)

    def accepts(public_key: Any) -> bool:
        return (
            isinstance(public_key, ec.EllipticCurvePublicKey)
            and public_key.curve.name == curve.name
        )

    return Algorithm(name, "EC", lambda: ec.generate_private_key(curve), sign, check, accepts)


def _rsa(name: str, scheme: padding.AsymmetricPadding, digest: hashes.HashAlgorithm) -> Algorithm:
    def sign(private_key: rsa.RSAPrivateKey, message: bytes) -> bytes:
        return private_key.sign(message, scheme, digest)

    def check(public_key: rsa.RSAPublicKey, signature: bytes, message: bytes) -> None:
        public_key.verify(signature, message, scheme, digest)

    def accepts(public_key: Any) -> bool:
        return isinstance(public_key, rsa.RSAPublicKey) and public_key.key_size >= _RSA_BITS

    return Algorithm(
        name,
        "RSA",
        lambda: rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS),
        sign,
        check,
        accepts,
    )


def _edwards(name: str) -> Algorithm:
    return Algorithm(
        name,
        "OKP",
        ed25519.Ed25519PrivateKey.generate,
        lambda private_key, message: private_key.sign(message),
        lambda public_key, signature, message: public_key.verify(signature, message),
        lambda public_key: isinstance(public_key, ed25519.Ed25519PublicKey),
    )


_SHA256 = hashes.SHA256()
ALGORITHMS: Mapping[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        _elliptic("ES256", ec.SECP256R1(), _SHA256),
        _elliptic("ES384", ec.SECP384R1(), hashes.SHA384()),
        _rsa("RS256", padding.PKCS1v15(), _SHA256),
        _rsa("PS256", padding.PSS(padding.MGF1(_SHA256), _SHA256.digest_size), _SHA256),
        _edwards("EdDSA"),
        _edwards("Ed25519"),
    )
}
