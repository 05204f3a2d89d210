"""What one person allowed one client, its code, and the one check of whether it still stands.

Nothing is signed or hashed slowly inside a transaction: tokens are minted before, and thrown away
by whoever loses.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.config import LONGEST_ACCESS_TOKEN, Settings
from idp.crypto.secrets import digest
from idp.domain import accounts
from idp.domain.accounts import Account
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import Refused
from idp.domain.one_time import OneTimeValues
from idp.store import authorizations as rows
from idp.store import memberships
from idp.store.database import Connection, RowMapping, Store
from idp.store.errors import Conflict

CODE = "code"
REFRESH_TOKEN = "refresh token"
_JTI = "access token"


def last_token(settings: Settings) -> int:
    """Return for how many seconds an authorization outlasts its last refresh token, or has none."""
    return settings.code_lifetime + LONGEST_ACCESS_TOKEN + settings.clock_skew


ENDED = "authorization, account or session ended"


@dataclass(frozen=True)
class Authorization:
    """An authorization as it stands. `open` is False when it, the account or the bound session
    ended. `sid` names the session to this client (None: from before sessions were named).
    `claims` are those that were asked for one by one, as `claims_request` keeps them.
    """

    id: str
    account: Account
    client_id: str
    scopes: tuple[str, ...]
    resource: str | None
    auth_time: int
    amr: tuple[str, ...]
    acr: str
    session_bound: bool
    expires_at: int
    open: bool
    sid: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class IssuedCode:
    """A code that was presented, with what it is bound to."""

    authorization: Authorization
    redirect_uri: str
    nonce: str | None
    code_challenge: str | None
    used: bool
    expired: bool


@dataclass(frozen=True)
class Issued:
    """What was minted, as the audit log names it. `refresh_token` is stored as its digest."""

    grant_type: str
    client_id: str
    scopes: tuple[str, ...]
    audience: tuple[str, ...]
    jti: str
    refresh_token: str | None = None


class Authorizations:
    """Redeems, checks and revokes."""

    def __init__(
        self,
        store: Store,
        one_time: OneTimeValues,
        audit: Audit,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._one_time = one_time
        self._audit = audit
        self._clock = clock
        self._settings = settings
        self._last_token = last_token(settings)

    def find_code(self, code: str) -> IssuedCode | None:
        """Look at a code without using it."""
        now = int(self._clock())
        with self._store.reading() as connection:
            found = self._one_time.find(connection, CODE, code)
            if found is None or found.authorization_id is None:
                return None
            row = rows.find(connection, found.authorization_id, now)
            if row is None:
                return None
            authorization = from_row(connection, row)
        return IssuedCode(
            authorization,
            found.payload["redirect_uri"],
            found.payload["nonce"],
            found.payload["code_challenge"],
            found.used_at is not None,
            found.expires_at <= now,
        )

    def burn_code(
        self, code: str, issued: IssuedCode, client_id: str, reason: str, origin: Origin
    ) -> None:
        """Spoil a code that the client `client_id` presented wrongly: there is no second try.

        One that was used before was stolen or replayed: what came of it is revoked (RFC 6749
        section 4.1.2). Nothing came of one that expired unused.
        """
        authorization = issued.authorization
        with self._store.writing() as connection:
            taken = self._one_time.take(connection, CODE, code) is not None
            if not taken and (issued.used or not issued.expired):
                self.revoke_within(connection, authorization, f"code reused: {reason}", origin)
            self.record_refusal(
                connection, "code.refused", authorization, client_id, reason, origin
            )

    def redeem(self, code: str, found: IssuedCode, issued: Issued, origin: Origin) -> None:
        """Use up a code and write what was issued for it: one caller wins. Raises Refused."""
        now = int(self._clock())
        authorization = found.authorization
        with self._store.writing() as connection:
            reason = None
            if self._one_time.take(connection, CODE, code) is None:
                reason = "reused or expired"
                self.revoke_within(connection, authorization, "code reused", origin)
            elif not rows.is_in_session(connection, authorization.id, now):
                reason = ENDED
            else:
                if issued.refresh_token:
                    self.add_refresh_token(connection, authorization, issued.refresh_token)
                self.record_issue(connection, authorization, issued, origin)
            if reason:
                self.record_refusal(
                    connection, "code.refused", authorization, issued.client_id, reason, origin
                )
        if reason:
            raise Refused(reason)

    def add_refresh_token(
        self, connection: Connection, authorization: Authorization, token: str
    ) -> None:
        """Store a refresh token's digest in the caller's transaction."""
        now = int(self._clock())
        latest = authorization.expires_at - self._last_token
        expires_at = min(now + self._settings.refresh_idle_lifetime, latest)
        row = {
            "digest": digest(REFRESH_TOKEN, token),
            "authorization_id": authorization.id,
            "created_at": now,
            "expires_at": expires_at,
            "superseded_at": None,
        }
        rows.add_refresh(connection, row)

    def issued_to_client(self, issued: Issued, origin: Origin) -> None:
        """Record a token that a client got for itself."""
        with self._store.writing() as connection:
            self.record_issue(connection, None, issued, origin)

    def live(self, authorization_id: str, jti: str) -> Authorization | None:
        """Return the open authorization behind an access token, None when either was revoked or
        ended.
        """
        now = int(self._clock())
        with self._store.reading() as connection:
            row = rows.live(connection, authorization_id, digest(_JTI, jti), now)
            return from_row(connection, row) if row else None

    def is_revoked(self, jti: str) -> bool:
        """Whether an access token without a person was revoked."""
        with self._store.reading() as connection:
            return rows.is_revoked(connection, digest(_JTI, jti))

    def revoke(self, authorization: Authorization, because: str, origin: Origin) -> None:
        """Revoke an authorization: its refresh and access tokens die with it."""
        with self._store.writing() as connection:
            self.revoke_within(connection, authorization, because, origin)

    def revoke_access_token(
        self, jti: str, expires_at: int, client_id: str, origin: Origin
    ) -> None:
        """Revoke one access token, which expires at the second `expires_at`."""
        actor = f"client:{client_id}"
        entry = Entry("access_token.revoked", actor, None, client_id, detail={"jti": jti})
        try:
            with self._store.writing() as connection:
                kept_until = expires_at + self._settings.clock_skew
                rows.revoke_token(connection, digest(_JTI, jti), kept_until)
                self._audit.record(connection, origin, entry)
        except Conflict:
            return

    def revoke_within(
        self, connection: Connection, authorization: Authorization, because: str, origin: Origin
    ) -> None:
        """Revoke in the caller's transaction; nothing happens when it was revoked before."""
        if rows.revoke(connection, authorization.id, int(self._clock()), because):
            detail = {"authorization": authorization.id, "because": because}
            person, client_id = authorization.account.id, authorization.client_id
            entry = Entry("authorization.revoked", "server", person, client_id, detail=detail)
            self._audit.record(connection, origin, entry)

    def record_issue(
        self,
        connection: Connection,
        authorization: Authorization | None,
        issued: Issued,
        origin: Origin,
    ) -> None:
        """Record in the caller's transaction what was issued."""
        detail = {
            "grant_type": issued.grant_type,
            "scopes": " ".join(issued.scopes),
            "audience": " ".join(issued.audience),
            "jti": issued.jti,
        }
        if authorization:
            detail["authorization"] = authorization.id
        person = authorization.account.id if authorization else None
        actor, client_id = f"client:{issued.client_id}", issued.client_id
        entry = Entry("token.issued", actor, person, client_id, detail=detail)
        self._audit.record(connection, origin, entry)

    def record_refusal(
        self,
        connection: Connection,
        event: str,
        authorization: Authorization,
        client_id: str,
        reason: str,
        origin: Origin,
    ) -> None:
        """Record in the caller's transaction why a client's credential was refused."""
        detail = {"authorization": authorization.id, "reason": reason}
        person = authorization.account.id
        entry = Entry(event, f"client:{client_id}", person, client_id, "refused", detail)
        self._audit.record(connection, origin, entry)


def sees_groups(scopes: Collection[str], claims: Mapping[str, Any]) -> bool:
    """Whether a client is told in which groups the person is."""
    return any("groups" in names for names in (scopes, *claims.values()))


def from_row(connection: Connection, row: RowMapping) -> Authorization:
    """Build an authorization from its row, joined with the person's.

    Groups are looked up for who may see them, roles for nobody.
    """
    claims = row["claims"] or {}
    seen = sees_groups(row["scopes"], claims)
    groups = memberships.groups(connection, row["id"]) if seen else frozenset()
    return Authorization(
        row["authorization_id"],
        accounts.from_row(row, groups=groups),
        row["client_id"],
        tuple(row["scopes"]),
        row["resource"],
        row["auth_time"],
        tuple(row["amr"]),
        row["acr"],
        row["session_bound"],
        row["authorization_expires_at"],
        bool(row["open"]),
        row["sid"],
        claims,
    )
