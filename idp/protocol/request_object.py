"""Request objects: OpenID Connect Core section 6, RFC 9101.

The one step from raw parameters and a signed object, by value or by reference, to the parameters
that are parsed. What a client signed is the whole request: nothing beside it is read (RFC 9101
section 6.3), so that nobody on the way can add anything. An unsigned object protects nothing and is
merged with what stands beside it (OpenID Connect Core section 6.1).
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from idp.config import Settings
from idp.crypto import foreign_jwt, jwe
from idp.crypto.compact import BadToken
from idp.crypto.foreign_jwt import HMACS, UNSIGNED, ForeignToken
from idp.crypto.jwe import FindKeys
from idp.domain.client_errors import Fault, Kind
from idp.domain.client_keys import ClientKeys, NoKeys
from idp.domain.clients import Client, Clients
from idp.domain.clock import Clock
from idp.domain.remote_documents import Fetched, FetchFailed
from idp.protocol import faults
from idp.protocol.authorization_request import Parameters
from idp.protocol.client_assertions import SIGNING
from idp.protocol.errors import RedirectedError

MEDIA_TYPES = ("application/oauth-authz-req+jwt", "application/jwt", "application/jose")
_TYPES = frozenset({"", "jwt", "oauth-authz-req+jwt"})
_OF_THE_TOKEN = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
_KEPT = 5
"""Seconds that a fetched object may serve again: nobody can make us ask a client all the time."""
_LONGEST_URI = 2000


class Documents(Protocol):
    """What `RemoteDocuments` offers here."""

    def get(
        self,
        url: str,
        *,
        accept: tuple[str, ...],
        largest: int,
        at_most: float | None,
    ) -> Fetched:
        """Return the document at `url`. Raises FetchFailed."""


@dataclass(frozen=True)
class _Failure:
    """How a failure is called, by value or by reference."""

    by_value: bool

    def refused(
        self, reason: str, sent: str = "", expected: tuple[str, ...] = ()
    ) -> RedirectedError:
        """The object is wrong: one text for every reason, which the logs alone are told."""
        text, name = "The request object is not valid for this client.", self._name
        fault = Fault(Kind.REQUEST_OBJECT, name, sent, expected, faults.sentence(reason))
        return RedirectedError("invalid_request_object", text, reason=reason, fault=fault)

    def unsupported(self) -> RedirectedError:
        """The client registered nothing that would let it send this."""
        name = self._name
        text = f"This client may not use {name} so: it has to be registered."
        fault = Fault(Kind.REQUEST_OBJECT if self.by_value else Kind.REQUEST_URI, name)
        return RedirectedError(f"{name}_not_supported", text, fault=fault)

    def no_keys(self, error: NoKeys) -> RedirectedError:
        """The client's keys can't be had: why not, the audit log alone is told."""
        refused = self.refused(error.description.removesuffix("."))
        refused.reason = error.reason
        return refused

    @property
    def _name(self) -> str:
        return "request" if self.by_value else "request_uri"


class RequestObjects:
    """Resolves request objects. Threads may share it."""

    def __init__(
        self,
        clients: Clients,
        keys: ClientKeys,
        documents: Documents,
        find_keys: FindKeys,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._clients = clients
        self._keys = keys
        self._documents = documents
        self._find_keys = find_keys
        self._clock = clock
        self._skew = settings.clock_skew
        self._issuer = settings.issuer

    def resolve(self, parameters: Parameters, client: Client) -> Parameters:
        """Return the parameters of a request, from its object where it has one.

        Raises RedirectedError.
        """
        by_value, by_reference = parameters.get("request", ()), parameters.get("request_uri", ())
        sent = [*filter(None, by_value), *filter(None, by_reference)]
        if len(by_value) > 1 or len(by_reference) > 1 or len(sent) > 1:
            text, fault = "There is more than one request object.", faults.parameter("request")
            raise RedirectedError("invalid_request", text, fault=fault)
        if not sent:
            if client.details.get("require_signed_request_object"):
                text, fault = "A signed request object is needed.", Fault(Kind.REQUEST_OBJECT)
                raise RedirectedError("invalid_request", text, fault=fault)
            return parameters
        failure = _Failure(bool(by_value and by_value[0]))
        text = sent[0] if failure.by_value else self._fetched(sent[0], client)
        token = self._read(text, client, failure)
        inside = _parameters(token.claims, failure)
        _check_agreement(parameters, inside, client, failure)
        inside["client_id"] = [client.client_id]
        return {**parameters_without_object(parameters), **inside} if token.unsigned else inside

    def _fetched(self, uri: str, client: Client) -> str:
        """Only what was registered is fetched, and only over the one guarded way (SECURITY case
        76); the fragment is the document's digest (OpenID Connect Core section 6.2).
        """
        registered = client.details.get("request_uris", ())
        if not registered:
            raise _Failure(by_value=False).unsupported()
        address, mark, digest = uri.partition("#")
        if len(uri) > _LONGEST_URI or address not in {
            each.partition("#")[0] for each in registered
        }:
            raise _unusable("it is not registered", faults.request_uri(registered, address))
        body = self._document(address, _KEPT)
        if mark and digest != _digest(body):
            body = self._document(address, 0)
        if mark and digest != _digest(body):
            raise _unusable("its digest is another", faults.request_uri((), address))
        return body.decode("ascii", "replace").strip()

    def _document(self, address: str, at_most: float) -> bytes:
        try:
            return self._documents.get(
                address,
                accept=MEDIA_TYPES,
                largest=jwe.LARGEST_TOKEN,
                at_most=at_most,
            ).body
        except FetchFailed as error:
            raise _unusable(error.reason) from error

    def _read(self, text: str, client: Client, failure: _Failure) -> ForeignToken:
        try:
            token = self._taken_apart(text)
        except BadToken as error:
            raise failure.refused(error.reason) from error
        self._check_signature(token, client, failure)
        self._check_claims(token.claims, client, failure)
        if token.typ not in _TYPES:
            raise failure.refused("another type of token")
        return token

    def _taken_apart(self, text: str) -> ForeignToken:
        """Return the token, that inside of an encrypted one, or claims that were encrypted alone.

        What was registered of encryption binds nobody (OpenID Connect Registration section 2).
        """
        if not jwe.is_encrypted(text):
            return foreign_jwt.read(text)
        plain = jwe.decrypt(text, self._find_keys)
        if plain.startswith(b"{"):
            return foreign_jwt.bare(plain)
        return foreign_jwt.read(plain.decode("ascii", "replace"))

    def _check_signature(self, token: ForeignToken, client: Client, failure: _Failure) -> None:
        registered = client.details.get("request_object_signing_alg")
        if token.algorithm == UNSIGNED and registered is None and failure.by_value:
            raise failure.unsupported()
        # What comes from a registered address is the client's, since TLS says who answers there
        # (OpenID Connect Core section 6.2).
        known = (registered,) if registered else (*SIGNING, UNSIGNED)
        if token.algorithm not in known:
            raise failure.refused("another algorithm than registered", token.algorithm, known)
        if not self._is_signed(token, client, failure):
            raise failure.refused("wrong signature of the request object")

    def _is_signed(self, token: ForeignToken, client: Client, failure: _Failure) -> bool:
        if token.algorithm == UNSIGNED:
            return token.unsigned and not client.details.get("require_signed_request_object")
        if token.algorithm in HMACS:
            secrets = self._clients.symmetric_secrets(client)
            return any(token.signed_with(secret) for secret in secrets)
        try:
            return self._keys.verify(client, token)
        except NoKeys as error:
            raise failure.no_keys(error) from error

    def _check_claims(self, claims: Mapping[str, Any], client: Client, failure: _Failure) -> None:
        """Check what is said of the object itself (RFC 9101 sections 4 and 10.8)."""
        audience = claims.get("aud", self._issuer)
        if self._issuer not in (audience if isinstance(audience, list) else [audience]):
            text, sent = "the request object is for somebody else", faults.texts(audience)
            raise failure.refused(text, sent, (self._issuer,))
        if claims.get("iss", client.client_id) != client.client_id:
            raise failure.refused("the request object is somebody else's")
        # An assertion that proves the client must not become a request (RFC 9101 section 10.8).
        if "sub" in claims:
            raise failure.refused("the request object has a sub")
        self._check_times(claims, failure)

    def _check_times(self, claims: Mapping[str, Any], failure: _Failure) -> None:
        now = self._clock()
        expires, begins, made = (_time(claims, name, failure) for name in ("exp", "nbf", "iat"))
        if expires is not None and expires + self._skew <= now:
            raise failure.refused("the request object has expired")
        if max(begins or 0, made or 0) - self._skew > now:
            raise failure.refused("the request object is not valid yet")


def parameters_without_object(parameters: Parameters) -> dict[str, Sequence[str]]:
    """Return what stands beside a request object."""
    return {
        name: values
        for name, values in parameters.items()
        if name not in {"request", "request_uri"}
    }


def _unusable(reason: str, fault: Fault | None = None) -> RedirectedError:
    """One text for every reason: where the request object is tells nobody what we can reach, not
    the client's developer either.
    """
    fault, text = fault or Fault(Kind.REQUEST_URI, "request_uri"), "request_uri can't be used."
    return RedirectedError("invalid_request_uri", text, reason=reason, fault=fault)


def _digest(body: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()


def _time(claims: Mapping[str, Any], name: str, failure: _Failure) -> float | None:
    when = claims.get(name)
    if when is None:
        return None
    if isinstance(when, bool) or not isinstance(when, int | float):
        raise failure.refused(f"{name} of the request object is not a time")
    return when


def _parameters(claims: Mapping[str, Any], failure: _Failure) -> dict[str, Sequence[str]]:
    """Return the claims as if they had been sent as parameters."""
    if not claims.keys().isdisjoint({"request", "request_uri"}):
        raise failure.refused("a request object inside of a request object")
    return {
        name: _values(value, failure)
        for name, value in claims.items()
        if name not in _OF_THE_TOKEN and value is not None
    }


def _values(value: Any, failure: _Failure) -> list[str]:
    """Numbers and objects are written as JSON (RFC 9101 section 4); a list repeats a parameter."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict) or (isinstance(value, int) and not isinstance(value, bool)):
        return [json.dumps(value)]
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return list(value)
    raise failure.refused("a parameter that is no text")


def _check_agreement(
    outside: Parameters, inside: Parameters, client: Client, failure: _Failure
) -> None:
    """Check that both say the same where both have to (OpenID Connect Core section 6.1)."""
    if tuple(inside.get("client_id", (client.client_id,))) != (client.client_id,):
        raise failure.refused("client_id is another inside")
    sent, signed = (_words(each.get("response_type", ())) for each in (outside, inside))
    if sent and signed and sent != signed:
        raise failure.refused("response_type is another inside")


def _words(values: Sequence[str]) -> list[list[str]]:
    """Return a `response_type` as it is compared: its order says nothing."""
    return [sorted(value.split()) for value in values]
