"""Client authentication: RFC 6749 section 2.3, OpenID Connect Core section 9.

Exactly one mechanism in a request, and only the one that the client registered.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from idp.crypto.foreign_jwt import ForeignToken
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.client_errors import Fault, Kind
from idp.domain.clients import Client, Clients
from idp.domain.resources import Resources, ResourceServer
from idp.domain.throttling import Throttle
from idp.protocol import client_assertions
from idp.protocol.client_assertions import (
    CLIENT_SECRET_JWT,
    PRIVATE_KEY_JWT,
    AssertionRefused,
    ClientAssertions,
)
from idp.protocol.errors import MachineError, invalid_request
from idp.protocol.machine_request import MachineRequest

METHODS = (
    "client_secret_basic",
    "client_secret_post",
    CLIENT_SECRET_JWT,
    PRIVATE_KEY_JWT,
    "none",
)
_LONGEST_HEADER = 4096
_REALM = 'Basic realm="clients"'


@dataclass(frozen=True)
class Presented:
    """What a request presents: the mechanism, who it claims to be, and the secret or assertion."""

    method: str
    client_id: str
    secret: str = field(default="", repr=False)
    assertion: ForeignToken | None = None


class ClientAuthentication:
    """Proves which client, or which resource server, sent a request."""

    def __init__(
        self,
        clients: Clients,
        resources: Resources,
        assertions: ClientAssertions,
        audit: Audit,
        throttle: Throttle,
    ) -> None:
        self._clients = clients
        self._resources = resources
        self._assertions = assertions
        self._audit = audit
        self._throttle = throttle

    def client(self, request: MachineRequest) -> Client:
        """Return the client that sent the request. Raises MachineError."""
        presented = read(request.sent_headers, request.values)
        request.named = presented.client_id
        client = self._clients.find(presented.client_id)
        if client is None:
            raise self._refused(presented, "unknown client", request.origin)
        self._check(client, presented, request.origin)
        request.sender = client
        return client

    def introspector(self, request: MachineRequest) -> Client | ResourceServer:
        """Return the confidential client or the resource server that asks. Raises MachineError."""
        presented = read(request.sent_headers, request.values)
        if presented.method == "none":
            raise self._refused(presented, "no credentials", request.origin)
        if presented.assertion or self._resources.by_credential(presented.client_id) is None:
            return self.client(request)
        server = self._resources.check_credential(presented.client_id, presented.secret)
        if server is None or server.disabled:
            raise self._refused(presented, "wrong secret of a resource server", request.origin)
        return server

    def _check(self, client: Client, presented: Presented, origin: Origin) -> None:
        if presented.method != client.auth_method:
            sent, registered = presented.method, (client.auth_method,)
            fault = Fault(Kind.AUTHENTICATION_METHOD, "", sent, registered)
            raise self._refused(presented, "another mechanism than registered", origin, fault)
        if presented.assertion and not client.disabled:
            self._check_assertion(client, presented, presented.assertion, origin)
            return
        right = client.public or self._clients.check_secret(client, presented.secret)
        if client.disabled:
            fault = Fault(Kind.UNKNOWN_CLIENT)
            raise self._refused(presented, "disabled", origin, fault)
        if not right:
            fault = Fault(Kind.CLIENT_SECRET)
            raise self._refused(presented, "wrong secret", origin, fault)

    def _check_assertion(
        self, client: Client, presented: Presented, assertion: ForeignToken, origin: Origin
    ) -> None:
        try:
            self._assertions.check(client, assertion)
        except AssertionRefused as error:
            raise self._refused(presented, error.reason, origin, error.fault) from error

    def _refused(
        self, presented: Presented, reason: str, origin: Origin, fault: Fault | None = None
    ) -> MachineError:
        self._throttle.count("client authentication", origin.address)
        detail = {"method": presented.method, "reason": reason}
        entry = Entry("client.authentication", "anyone", None, presented.client_id, detail=detail)
        self._audit.refuse(origin, entry)
        return invalid_client(fault, recorded=True)


def invalid_client(fault: Fault | None = None, *, recorded: bool = False) -> MachineError:
    """Return the answer to failed client authentication: one text for every reason."""
    text, fault = "Client authentication failed.", fault or Fault(Kind.AUTHENTICATION_METHOD)
    return MachineError("invalid_client", text, 401, _REALM, recorded=recorded, fault=fault)


def named_by(request: MachineRequest) -> str:
    """Return which client a request says that it comes from, proven or not; empty: none."""
    if request.named:
        return request.named
    try:
        return read(request.sent_headers, request.values).client_id
    except MachineError:
        return request.values.get("client_id", "")


def read(headers: Mapping[str, str], values: Mapping[str, str]) -> Presented:
    """Return the one mechanism of a request. Raises MachineError when there are two, or none."""
    header = headers.get("Authorization")
    by_assertion = "client_assertion" in values or "client_assertion_type" in values
    if (header is not None) + ("client_secret" in values) + by_assertion > 1:
        text = "There are two client authentication mechanisms."
        raise invalid_request(text, Fault(Kind.AUTHENTICATION_METHOD, difference=text))
    if header is None and not by_assertion:
        return _read_body(values)
    presented = _read_basic(header) if header is not None else _read_assertion(values)
    if values.get("client_id", presented.client_id) != presented.client_id:
        text = "client_id contradicts the client authentication."
        raise invalid_request(text, Fault(Kind.AUTHENTICATION_METHOD, difference=text))
    return presented


def _read_assertion(values: Mapping[str, str]) -> Presented:
    """The client may be named by its assertion alone (RFC 7521 section 4.2)."""
    if values.get("client_assertion_type") != client_assertions.TYPE:
        raise invalid_client()
    try:
        token = client_assertions.read(values.get("client_assertion", ""))
    except AssertionRefused as error:
        raise invalid_client(error.fault) from error
    subject = token.claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 100 or not subject.isprintable():
        raise invalid_client()
    return Presented(client_assertions.method_of(token), subject, assertion=token)


def _read_body(values: Mapping[str, str]) -> Presented:
    client_id = values.get("client_id")
    if client_id is None:
        raise invalid_client()
    secret = values.get("client_secret")
    if secret is None:
        return Presented("none", client_id)
    return Presented("client_secret_post", client_id, secret)


def _read_basic(header: str) -> Presented:
    """Both halves are form-urlencoded before they are joined (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(header) > _LONGEST_HEADER:
        raise invalid_client()
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        client_id, colon, secret = text.partition(":")
        presented = Presented(
            "client_secret_basic",
            unquote_plus(client_id, errors="strict"),
            unquote_plus(secret, errors="strict"),
        )
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise invalid_client() from error
    if not colon or not presented.client_id:
        raise invalid_client()
    return presented
