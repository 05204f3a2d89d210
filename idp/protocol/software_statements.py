"""Software statements (RFC 7591 section 2.3): what somebody whom the operator trusts says of a
software. It wins over what the client says of itself.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from idp.config import ConfigurationError, Settings
from idp.crypto import foreign_jwt, key_sets
from idp.crypto.algorithms import ALGORITHMS
from idp.crypto.compact import BadToken
from idp.crypto.foreign_jwt import ForeignToken
from idp.crypto.jwk import BadKey
from idp.crypto.key_sets import ForeignKey
from idp.domain.clock import Clock
from idp.protocol.metadata_values import RegistrationError

FIELD = "software_statement"
_SETTING = "IDP_SOFTWARE_STATEMENT_ISSUERS"
_OF_THE_TOKEN = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", FIELD})
"""Claims about the statement itself."""

_TYPES = frozenset({"", "jwt"})
Issuers = Mapping[str, Sequence[ForeignKey]]


class SoftwareStatements:
    """Verifies statements. Raises ConfigurationError for a file that can't be used."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._issuers = _read(settings.software_statement_issuers)
        self._audience = settings.issuer
        self._clock = clock
        self._skew = settings.clock_skew

    def applied(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return the metadata with the claims of its statement, if it has one. Raises
        RegistrationError.
        """
        statement = metadata.get(FIELD)
        if statement is None:
            return dict(metadata)
        if not isinstance(statement, str):
            raise _invalid("it is not a text")
        claims = self._claims(statement)
        stated = {name: value for name, value in claims.items() if name not in _OF_THE_TOKEN}
        # A name in one language would else be shown instead of the one that is vouched for.
        said = {name: metadata[name] for name in metadata if name.partition("#")[0] not in stated}
        return said | stated

    def _claims(self, statement: str) -> dict[str, Any]:
        try:
            token = foreign_jwt.read(statement)
        except BadToken as error:
            raise _invalid(error.reason) from error
        issuer = token.claims.get("iss")
        keys = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if keys is None:
            raise RegistrationError(
                "unapproved_software_statement", "Statements of this issuer are not accepted here."
            )
        if not _is_signed(token, keys):
            raise _invalid("its signature is not one of its issuer")
        self._check_times(token.claims)
        audience = token.claims.get("aud", self._audience)
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise _invalid("it is for somebody else (aud)")
        return token.claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        for name in ("exp", "nbf", "iat"):
            when = claims.get(name)
            if when is not None and (isinstance(when, bool) or not isinstance(when, int | float)):
                raise _invalid(f"{name} is not a time")
        if now >= claims.get("exp", now + 1) + self._skew:
            raise _invalid("it has expired")
        if now < max(claims.get("nbf", now), claims.get("iat", now)) - self._skew:
            raise _invalid("it is not valid yet")


def _is_signed(token: ForeignToken, keys: Sequence[ForeignKey]) -> bool:
    if token.algorithm not in ALGORITHMS or token.typ not in _TYPES:
        return False
    try:
        fitting = key_sets.choose(keys, token.kid, token.algorithm, "sig")
        return any(token.signed_by(key.verifier(token.algorithm)) for key in fitting)
    except BadKey:
        return False


def _invalid(reason: str) -> RegistrationError:
    return RegistrationError(
        "invalid_software_statement", f"The software statement is not valid: {reason}."
    )


def _read(file: str) -> Issuers:
    """Read `{"https://issuer.example": {"keys": [...]}, ...}`."""
    if not file:
        return {}
    try:
        issuers = json.loads(Path(file).read_text("utf-8"))
        for keys in issuers.values():
            key_sets.check(keys)
        return {issuer: key_sets.read(keys) for issuer, keys in issuers.items()}
    except (OSError, ValueError, AttributeError) as error:
        problem = f"{file}: not a JSON object of issuers and their JWK Sets ({error})."
        raise ConfigurationError([f"{_SETTING}: {problem}"]) from error
    except BadKey as error:
        raise ConfigurationError([f"{_SETTING}: {file}: {error}."]) from error
