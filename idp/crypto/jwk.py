"""Signing keys as JSON Web Keys (RFC 7517), named by their thumbprints (RFC 7638). Wraps joserfc.

A key is parsed once and kept: parsing costs a thousand times what using it costs.
"""

from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import serialization
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from idp.crypto.algorithms import ALGORITHMS
from idp.crypto.jwt import PrivateKey, PublicKey


class BadKey(Exception):
    """It is not a key of the algorithm that it names."""


@dataclass(frozen=True)
class NewKey:
    """A fresh key: the JWK to publish, and the private half (PKCS #8 in DER) to seal."""

    kid: str
    algorithm: str
    public_jwk: dict[str, Any]
    private: bytes = field(repr=False)


def generate(algorithm: str) -> NewKey:
    """Make a key for `algorithm`; its thumbprint is its `kid`. An RSA key takes about 100 ms."""
    private_key = ALGORITHMS[algorithm].generate()
    private = private_key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    jwk = JWKRegistry.import_key(pem, ALGORITHMS[algorithm].key_type)
    kid = jwk.thumbprint()
    named = {"kid": kid, "alg": algorithm, "use": "sig"}
    return NewKey(kid, algorithm, {**jwk.as_dict(private=False), **named}, private)


def load_private(kid: str, algorithm: str, private: bytes) -> PrivateKey:
    """Parse the private half that `generate` made.

    The arithmetic check of RSA keys (40 ms) is left out: the seal has proved the bytes ours.
    """
    key = serialization.load_der_private_key(
        private, password=None, unsafe_skip_rsa_key_validation=True
    )
    return PrivateKey(kid, algorithm, ALGORITHMS[algorithm], key)


def load_public(jwk: dict[str, Any]) -> PublicKey:
    """Parse a JWK, which must name its `kid` and `alg`. Raises BadKey."""
    scheme = ALGORITHMS.get(str(jwk.get("alg")))
    kid = jwk.get("kid")
    if scheme is None or not isinstance(kid, str):
        raise BadKey("kid and alg are needed")
    try:
        key = JWKRegistry.import_key(jwk, scheme.key_type).public_key
    except (JoseError, ValueError, TypeError) as error:
        raise BadKey("not a JWK of its type") from error
    if jwk.get("kty") != scheme.key_type or not scheme.accepts(key):
        raise BadKey(f"not a key for {scheme.name}")
    return PublicKey(kid, scheme.name, scheme, key)
