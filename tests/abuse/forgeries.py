"""Tokens that were never issued, made of one that was."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import JWKRegistry

from idp.crypto.algorithms import ALGORITHMS
from idp.domain.services import Services
from tests.keys import forging
from tests.support.token_parts import claims_of, header_of


def signed_by_us(services: Services, algorithm: str, header: Any, claims: bytes) -> str:
    """Return a token with a right signature, whatever it says."""
    key = services.signing_keys.active(algorithm)
    message = f"{forging.part(header)}.{forging.encode(claims)}"
    signature = ALGORITHMS[algorithm].sign(key._key, message.encode())
    return f"{message}.{forging.encode(signature)}"


def public_keys(jwks: dict[str, Any]) -> dict[str, bytes]:
    """Return our published keys in each form that could be taken for a shared secret."""
    found = {"the whole set": json.dumps(jwks).encode()}
    for jwk in jwks["keys"]:
        name = f"{jwk['alg']} {jwk['kid'][:6]}"
        public: Any = JWKRegistry.import_key(jwk).public_key
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        found |= {
            f"{name} PEM": pem,
            f"{name} PEM without its end": pem.rstrip(),
            f"{name} DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            f"{name} JWK": json.dumps(jwk).encode(),
            f"{name} kid": jwk["kid"].encode(),
        }
        part = jwk.get("n") or jwk["x"]
        found[f"{name} number"] = base64.urlsafe_b64decode(part + "==")
    return found


def unsigned(token: str) -> dict[str, str]:
    """Return a token's claims without a signature, in each spelling of `none`."""
    header, claims = header_of(token), claims_of(token)
    spellings = {name: forging.unsigned({**header, "alg": name}, claims) for name in NONES}
    right = token.rpartition(".")[0]
    return spellings | {
        "no alg": forging.unsigned({"typ": header["typ"], "kid": header["kid"]}, claims),
        "null": forging.unsigned({**header, "alg": None}, claims),
        "a right header": f"{right}.",
        "a right header, zero": f"{right}.{forging.encode(bytes(64))}",
        "no third part": right,
    }


NONES = ("none", "None", "NONE", "nOnE", "none ", "")


def extended(services: Services, token: str) -> dict[str, str]:
    """Return a token signed anew by us with headers that nobody understands."""
    header, claims = header_of(token), json.dumps(claims_of(token)).encode()
    other = "ES256" if header["alg"] == "RS256" else "RS256"
    extensions: dict[str, dict[str, Any]] = {
        "crit unknown": {"crit": ["x"], "x": 1},
        "crit empty": {"crit": []},
        "crit of a known name": {"crit": ["alg"]},
        "crit no list": {"crit": "exp"},
        "b64 false": {"b64": False, "crit": ["b64"]},
        "b64 false, not critical": {"b64": False},
        "b64 true": {"b64": True},
        "typ missing": {"typ": None},
        "typ a list": {"typ": [header["typ"]]},
        "kid missing": {"kid": None},
        "kid a path": {"kid": "../../dev/null"},
        "kid of the other key": {"kid": services.signing_keys.active(other).kid},
        "alg of the other key": {"alg": other},
    }
    return {
        name: signed_by_us(services, header["alg"], header | more, claims)
        for name, more in extensions.items()
    }


def monsters(token: str) -> dict[str, str]:
    """Return tokens that cost who looks at them too long."""
    header, _, signature = token.split(".")
    deep = forging.encode(b"[" * 9_000)
    deep_header = forging.encode(b'{"alg":' + b"[" * 1_400)
    bomb = forging.part({"alg": "dir", "enc": "A256GCM", "zip": "DEF"})
    costly = forging.part({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 10**9})
    return {
        "just too long": f"{header}.{'A' * (16 * 1024)}.{signature}",
        "200 kB": f"{header}.{'A' * 200_000}.{signature}",
        "deep claims": f"{header}.{deep}.{signature}",
        "deep header": f"{deep_header}.{deep}.{signature}",
        "a compressed JWE": f"{bomb}..AAAA.{'A' * 8_000}.AAAA",
        "a costly JWE": f"{costly}.AAAA.AAAA.AAAA.AAAA",
        "JSON serialisation": json.dumps({"payload": "e30", "signatures": [{}]}),
        "dots": "." * 10_000,
        "two dots": "..",
        "NUL": token + "\0",
        "another script": token.replace("e", "\u0435"),
        "padded": f"{token}=",
        "a fourth part": f"{token}.x",
        "surrogates": token + "\udce9",
    }
