"""What a person just approved, and how it becomes an authorization with its code.

Tokens that leave together with the code are minted between the two steps: nothing is signed inside
a transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from idp.config import Settings
from idp.crypto.secrets import random_identifier, random_token
from idp.domain.accounts import Account
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.authorizations import (
    CODE,
    Authorization,
    Authorizations,
    Issued,
    last_token,
    sees_groups,
)
from idp.domain.clock import Clock
from idp.domain.one_time import OneTimeValues
from idp.domain.session_clients import sid_of
from idp.domain.sessions import Session
from idp.store import authorizations as rows
from idp.store import memberships
from idp.store.database import Connection, Store


@dataclass(frozen=True)
class Approval:
    """What a completed authorization request allows, and what its code is bound to.

    `subject` is what the client calls the person; `acr` is what it is told: the one it asked for
    where more was reached.
    """

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    resource: str | None
    nonce: str | None
    code_challenge: str | None
    refreshable: bool
    acr: str
    subject: str
    claims: Mapping[str, Any] | None = None

    @property
    def offline(self) -> bool:
        """Whether it outlives the session."""
        return "offline_access" in self.scopes


@dataclass(frozen=True)
class Opening:
    """An authorization that is about to be opened, with its code, if it has one.

    `authorization` is as it will stand, None when nothing is to be minted from it before.
    """

    id: str
    approval: Approval
    session: Session
    code: str | None = field(repr=False)
    authorization: Authorization | None = None


class Approvals:
    """Opens authorizations."""

    def __init__(
        self,
        store: Store,
        one_time: OneTimeValues,
        authorizations: Authorizations,
        audit: Audit,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._one_time = one_time
        self._authorizations = authorizations
        self._audit = audit
        self._clock = clock
        self._settings = settings
        self._last_token = last_token(settings)

    def prepare(
        self, approval: Approval, session: Session, *, code: bool = True, tokens: bool = False
    ) -> Opening:
        """Return what `open` is going to write; `tokens`: some are minted of it before, so the
        client's name for the session is settled now. Raises NotFound when the session has ended.
        """
        name = random_identifier()
        opening = Opening(name, approval, session, random_token() if code else None)
        if not tokens:
            return opening
        with self._store.writing() as connection:
            sid = sid_of(connection, session.id, approval.client_id, approval.subject)
            seen = sees_groups(approval.scopes, approval.claims or {})
            groups = memberships.groups(connection, session.account.id) if seen else frozenset()
        person = replace(session.account, groups=groups)
        row = self._row(opening, int(self._clock())) | {"sid": sid, "open": True}
        return replace(opening, authorization=_from_own_row(row, person))

    def open(
        self, connection: Connection, opening: Opening, issued: Issued | None, origin: Origin
    ) -> None:
        """Open an authorization in the caller's transaction, and record what was issued with it.
        Raises NotFound when the session has ended meanwhile.
        """
        approval, session = opening.approval, opening.session
        sid = sid_of(connection, session.id, approval.client_id, approval.subject)
        rows.add(connection, self._row(opening, int(self._clock())) | {"sid": sid})
        if opening.code is not None:
            self._add_code(connection, opening, opening.code)
        person = session.account.id
        detail = {"authorization": opening.id, "scopes": " ".join(approval.scopes)}
        for place, names in (approval.claims or {}).items():
            detail[f"claims_{place}"] = " ".join(names)
        actor, client_id = f"account:{person}", approval.client_id
        entry = Entry("authorization.opened", actor, person, client_id, detail=detail)
        self._audit.record(connection, origin, entry)
        if issued:
            self._authorizations.record_issue(connection, opening.authorization, issued, origin)

    def _add_code(self, connection: Connection, opening: Opening, code: str) -> None:
        approval = opening.approval
        bound = {
            "redirect_uri": approval.redirect_uri,
            "nonce": approval.nonce,
            "code_challenge": approval.code_challenge,
        }
        lifetime = self._settings.code_lifetime
        self._one_time.put(connection, CODE, code, bound, lifetime, authorization_id=opening.id)

    def _row(self, opening: Opening, now: int) -> dict[str, Any]:
        approval, session = opening.approval, opening.session
        refreshed_for = self._settings.refresh_absolute_lifetime if approval.refreshable else 0
        return {
            "id": opening.id,
            "account_id": session.account.id,
            "client_id": approval.client_id,
            "session_id": session.id,
            "session_bound": not approval.offline,
            "scopes": list(approval.scopes),
            "resource": approval.resource,
            "auth_time": session.auth_time,
            "amr": list(session.amr),
            "acr": approval.acr,
            "claims": approval.claims,
            "created_at": now,
            "expires_at": now + refreshed_for + self._last_token,
            "revoked_at": None,
            "revoked_because": None,
        }


def _from_own_row(row: Mapping[str, Any], person: Account) -> Authorization:
    """Build an authorization from the row that is going to be written."""
    return Authorization(
        id=row["id"],
        account=person,
        client_id=row["client_id"],
        scopes=tuple(row["scopes"]),
        resource=row["resource"],
        auth_time=row["auth_time"],
        amr=tuple(row["amr"]),
        acr=row["acr"],
        session_bound=row["session_bound"],
        expires_at=row["expires_at"],
        open=row["open"],
        sid=row["sid"],
        claims=row["claims"] or {},
    )
