"""The client registration endpoint and its management: RFC 7591 section 3, RFC 7592 section 2,
OpenID Connect Registration sections 3 and 4.

What may be registered is decided in registration.py for everybody, and in registration_rules.py
for those who come without an operator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idp.config import Settings
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.client_errors import ClientErrors, Fault, Kind, Told
from idp.domain.errors import Refused
from idp.domain.initial_tokens import InitialToken
from idp.domain.registering import Registering
from idp.domain.registrations import Managed, Registered
from idp.domain.throttling import Throttle
from idp.protocol import json_bodies, registration
from idp.protocol.errors import MachineError, bearer_challenge, invalid_request
from idp.protocol.json_bodies import NotAnObject
from idp.protocol.metadata import REGISTER
from idp.protocol.metadata_values import RegistrationError, refused
from idp.protocol.registration_rules import RegistrationRules

JSON = "application/json"
REALM = "registration"
_NOT_VALID = "The token is not valid here, or not any more."
_LONGEST_TOKEN = 512
_OURS = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
"""What only this server says (RFC 7592 section 2.2)."""


@dataclass(frozen=True)
class Sent:
    """A request: its `Authorization` header, media type and body, and where it came from."""

    authorization: str | None
    media_type: str
    body: bytes
    origin: Origin


class DynamicRegistration:
    """Registers clients, and lets each of them manage its own registration."""

    def __init__(
        self,
        parts: Registering,
        rules: RegistrationRules,
        errors: ClientErrors,
        audit: Audit,
        throttle: Throttle,
        settings: Settings,
    ) -> None:
        self._tokens = parts.initial_tokens
        self._registrations = parts.registrations
        self._rules = rules
        self._errors = errors
        self._audit = audit
        self._throttle = throttle
        self._open = settings.registration == "open"
        self._base = settings.issuer + REGISTER

    def register(self, sent: Sent) -> dict[str, Any]:
        """Return the answer to a registration (RFC 7591 section 3.2.1). Raises MachineError,
        Throttled.
        """
        initial = self._initial_token(sent)
        policy = initial.policy if initial else self._registrations.open_policy
        with _Recording(self, sent):
            details = self._rules.settled(_metadata(sent), policy, sent.origin.address)
            registered = self._registrations.register(
                details,
                secret=registration.needs_secret(details),
                initial=initial,
                origin=sent.origin,
            )
        return self._answer(registered)

    def read(self, client_id: str, sent: Sent) -> dict[str, Any]:
        """Return a client's registration (RFC 7592 section 2.1). Raises MachineError, Throttled."""
        managed = self._managed(client_id, sent)
        return self._answer(Registered(managed.client, None, managed.token))

    def update(self, client_id: str, sent: Sent) -> dict[str, Any]:
        """Replace a client's registration (RFC 7592 section 2.2): what is left out gets its
        default. Raises MachineError, Throttled.
        """
        managed = self._managed(client_id, sent)
        with _Recording(self, sent, client_id, proven=True):
            metadata = _metadata(sent)
            self._check_same_client(metadata, managed)
            details = self._rules.settled(
                metadata, managed.policy, sent.origin.address, managed.client
            )
            registered = self._registrations.update(
                managed,
                details,
                secret=registration.needs_secret(details),
                origin=sent.origin,
            )
        return self._answer(registered)

    def delete(self, client_id: str, sent: Sent) -> None:
        """Delete a client (RFC 7592 section 2.3). Raises MachineError, Throttled."""
        managed = self._managed(client_id, sent)
        with _Recording(self, sent, client_id, proven=True):
            self._registrations.delete(managed, sent.origin)

    def _initial_token(self, sent: Sent) -> InitialToken | None:
        """Return the initial access token; None where none is needed and none was sent."""
        if sent.authorization is None and self._open:
            return None
        token = _bearer(sent)
        with _Recording(self, sent):
            return self._tokens.find(token)

    def _managed(self, client_id: str, sent: Sent) -> Managed:
        """Return the client whose registration access token was sent (SECURITY cases 77, 78)."""
        token = _bearer(sent)
        with _Recording(self, sent, client_id):
            managed = self._registrations.find(client_id, token)
            if managed.client.disabled:
                raise MachineError("access_denied", "This client is disabled.", 403)
        return managed

    def _check_same_client(self, metadata: Mapping[str, Any], managed: Managed) -> None:
        """Neither client nor secret can be chosen (RFC 7592 section 2.2)."""
        if metadata.get("client_id") != managed.client.client_id:
            raise refused("client_id must be the one of this registration.")
        for name in _OURS:
            if name in metadata:
                raise refused(f"{name} must not be sent (RFC 7592 section 2.2).")
        secret = metadata.get("client_secret")
        if secret is None:
            return
        if not isinstance(secret, str) or not self._registrations.is_secret(managed, secret):
            raise refused("client_secret must be the present one: it can't be chosen.")

    def _answer(self, registered: Registered) -> dict[str, Any]:
        client = registered.client
        return registration.registration_response(client, registered.secret) | {
            "registration_access_token": registered.token,
            "registration_client_uri": f"{self._base}/{client.client_id}",
        }

    def refuse(
        self, sent: Sent, error: Exception, client_id: str | None, reason: str, *, proven: bool
    ) -> None:
        """Write down why a request was refused, in the log of the client that it concerns too.
        Raises Throttled.
        """
        self._throttle.count("refusal", sent.origin.address)
        code = getattr(error, "code", "") or getattr(error, "error", "") or "invalid_token"
        detail = {"error": code, "reason": reason}
        entry = Entry("registration.refused", "anyone", None, client_id, detail=detail)
        self._audit.refuse(sent.origin, entry)
        if client_id is not None:
            kind = Kind.REGISTRATION if proven else Kind.REGISTRATION_TOKEN
            text = getattr(error, "description", "") or _NOT_VALID
            told = Told("register", code, text, Fault(kind))
            self._errors.note(client_id, told, sent.origin, proven=proven)


class _Recording:
    """Records what is refused in its block, and raises it as a MachineError."""

    def __init__(
        self,
        endpoint: DynamicRegistration,
        sent: Sent,
        client_id: str | None = None,
        *,
        proven: bool = False,
    ) -> None:
        self._endpoint = endpoint
        self._sent = sent
        self._client_id = client_id
        self._proven = proven

    def __enter__(self) -> None:
        """Nothing is recorded yet."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Translate. Raises MachineError."""
        if not isinstance(error, Refused | RegistrationError | MachineError):
            return
        reason = error.description if isinstance(error, MachineError) else error.reason
        self._endpoint.refuse(self._sent, error, self._client_id, reason or "", proven=self._proven)
        if isinstance(error, RegistrationError):
            raise MachineError(error.code, error.description, recorded=True) from error
        if isinstance(error, Refused):
            raise invalid_token() from error


def invalid_token() -> MachineError:
    """Return the answer to a token that does not work: one text for every reason, so that nobody
    learns which clients there are.
    """
    challenge = bearer_challenge(REALM, "invalid_token", _NOT_VALID)
    return MachineError("invalid_token", _NOT_VALID, 401, challenge, recorded=True)


def _bearer(sent: Sent) -> str:
    """Return the token of the header (RFC 6750 section 2.1). Raises MachineError."""
    scheme, _, token = (sent.authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        challenge = bearer_challenge(REALM)
        raise MachineError("invalid_token", "A token is needed.", 401, challenge, recorded=True)
    return token.strip()[:_LONGEST_TOKEN]


def _metadata(sent: Sent) -> dict[str, Any]:
    if sent.media_type != JSON:
        raise invalid_request(f"The body must be {JSON}.")
    try:
        return json_bodies.read_object(sent.body)
    except NotAnObject as error:
        raise refused(str(error)) from error
