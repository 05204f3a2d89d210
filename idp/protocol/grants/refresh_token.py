"""The refresh token grant: RFC 6749 section 6, rotation and reuse detection of RFC 9700 section
4.14.2.
"""

from idp.domain.audit import Entry
from idp.domain.authorizations import ENDED, Issued
from idp.domain.client_errors import Fault, Kind
from idp.domain.clients import Client
from idp.domain.errors import Refused
from idp.domain.refresh_tokens import PresentedRefresh
from idp.protocol import faults, scopes
from idp.protocol.errors import MachineError, invalid_grant
from idp.protocol.grants.base import NOTHING_LEFT, Grounds, TokenGrant, remaining_scopes

_UNKNOWN = Fault(Kind.REFRESH_UNKNOWN, "refresh_token")
_KINDS = {
    "expired": Kind.REFRESH_EXPIRED,
    "reused": Kind.REFRESH_REUSED,
    "offline access withdrawn": Kind.AUTHORIZATION_ENDED,
    ENDED: Kind.AUTHORIZATION_ENDED,
}
"""By the reason in the audit log."""


class RefreshTokenGrant(TokenGrant):
    """Replaces a refresh token by its successor."""

    GRANT_TYPE = "refresh_token"

    def prepare(self, client: Client) -> Grounds:
        """Check the token, and that no more is asked than was allowed and still may be."""
        self.token = self.request.required("refresh_token")
        tokens = self.server.parts.refresh_tokens
        found = tokens.find(self.token)
        if found is None:
            raise invalid_grant(_UNKNOWN)
        fault = self._fault(found, client)
        if fault or found.superseded:
            self.count_refusal(client)
        if fault:
            self._refuse(client, fault, found)
            own = found.authorization.client_id == client.client_id
            raise invalid_grant(_told(fault) if own else _UNKNOWN, recorded=True)
        self.found = found
        return Grounds(
            client,
            self._scopes(found, client),
            self.resources_of(found.authorization, client),
            found.authorization,
            None,
            tokens.successor_of(self.token),
        )

    def _fault(self, found: PresentedRefresh, client: Client) -> str | None:
        """Return why this token does not work for this client. Reuse is judged in `commit`, under
        the lock.
        """
        authorization = found.authorization
        offline_withdrawn = (
            not authorization.session_bound and "offline_access" not in client.scopes
        )
        checks = (
            (authorization.client_id != client.client_id, "another client's"),
            (found.expired, "expired"),
            (not authorization.open, ENDED),
            (offline_withdrawn, "offline access withdrawn"),
        )
        return next((reason for failed, reason in checks if failed), None)

    def _refuse(self, client: Client, reason: str, found: PresentedRefresh) -> None:
        person = found.authorization.account.id
        detail = {"authorization": found.authorization.id, "reason": reason}
        actor = f"client:{client.client_id}"
        entry = Entry("refresh.refused", actor, person, client.client_id, detail=detail)
        self.server.parts.audit.refuse(self.request.origin, entry)

    def _scopes(self, found: PresentedRefresh, client: Client) -> tuple[str, ...]:
        """What was allowed and the client may still have, or the part of it that is asked for."""
        allowed = remaining_scopes(found.authorization, client)
        try:
            asked = scopes.parse(self.request.values.get("scope", ""))
        except scopes.InvalidScope as error:
            fault = faults.scope("", client.scopes)
            raise MachineError("invalid_scope", str(error), fault=fault) from error
        if not set(asked) <= set(found.authorization.scopes):
            fault = faults.scope(" ".join(asked), found.authorization.scopes)
            raise MachineError("invalid_scope", "More is asked than was allowed.", fault=fault)
        granted = tuple(scope for scope in allowed if scope in asked) if asked else allowed
        if not granted:
            fault = faults.scope(" ".join(asked), allowed)
            raise MachineError("invalid_scope", NOTHING_LEFT, fault=fault)
        return granted

    def commit(self, issued: Issued) -> None:
        """Rotate: of many at once, one wins, or all within the retry window get the
        same successor.
        """
        try:
            self.server.parts.refresh_tokens.rotate(
                self.token, self.found.authorization, issued, self.request.origin
            )
        except Refused as error:
            raise invalid_grant(_told(error.reason), recorded=True) from error


def _told(reason: str) -> Fault:
    return Fault(_KINDS.get(reason, Kind.OTHER), "refresh_token")
