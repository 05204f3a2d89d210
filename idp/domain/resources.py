"""Resource servers: the APIs that accept our access tokens, and the scopes they own."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from idp.config import LONGEST_ACCESS_TOKEN, SHORTEST_ACCESS_TOKEN
from idp.crypto import secrets
from idp.domain import uris
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import AlreadyExists, Invalid, NotFound
from idp.domain.recent import Recent
from idp.store import resources as rows
from idp.store.database import Connection, RowMapping, Store
from idp.store.errors import Conflict

Query = Callable[[Connection, str], Sequence[RowMapping]]
OIDC_SCOPES = ("openid", "profile", "email", "address", "phone", "groups", "offline_access")
CREDENTIAL_PREFIX = "dw_resource_"
MOST_SCOPES = 200
LONGEST_SCOPE = 100
LIFETIME_BOUNDS = f"{SHORTEST_ACCESS_TOKEN} to {LONGEST_ACCESS_TOKEN}"
_PURPOSE = "resource_credential"
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,100}")
_CREDENTIAL_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LIFETIMES = range(SHORTEST_ACCESS_TOKEN, LONGEST_ACCESS_TOKEN + 1)


@dataclass(frozen=True)
class ResourceServer:
    """An API. `scopes` are names with descriptions, `access_token_lifetime` is in seconds."""

    identifier: str
    name: str
    scopes: Mapping[str, str] = field(hash=False)
    access_token_lifetime: int | None
    credential_id: str
    credential_digest: bytes = field(repr=False)
    created_at: int
    disabled: bool


def from_rows(found: Sequence[RowMapping]) -> ResourceServer:
    """Make a resource server of its rows, one for each scope."""
    row = found[0]
    return ResourceServer(
        identifier=row["identifier"],
        name=row["name"],
        scopes={each["scope"]: each["description"] for each in found if each["scope"] is not None},
        access_token_lifetime=row["access_token_lifetime"],
        credential_id=row["credential_id"],
        credential_digest=row["credential_digest"],
        created_at=row["created_at"],
        disabled=row["disabled_at"] is not None,
    )


def is_scope(text: str) -> bool:
    """Whether `text` has the form of one scope (RFC 6749 section 3.3), at most 100 characters."""
    return _SCOPE.fullmatch(text) is not None


class Resources:
    """Finds and adds resource servers. What it finds may be `cache_seconds` old on other nodes."""

    def __init__(
        self, store: Store, audit: Audit, clock: Clock, cache_seconds: float, issuer: str
    ) -> None:
        self._issuer = issuer
        self._store = store
        self._audit = audit
        self._clock = clock
        self._recent: Recent[ResourceServer | None] = Recent(clock, cache_seconds)

    def find(self, identifier: str) -> ResourceServer | None:
        """Return the resource server, disabled ones too; None when there is none."""
        return self._find(rows.find, identifier) if uris.parse(identifier) else None

    def owner_of(self, scope: str) -> ResourceServer | None:
        """Return the resource server that owns `scope`, disabled ones too; None for no one's."""
        return self._find(rows.owner, scope) if is_scope(scope) else None

    def by_credential(self, credential_id: str) -> ResourceServer | None:
        """Return the resource server that introspects with this credential; None for no one's."""
        if not _CREDENTIAL_ID.fullmatch(credential_id):
            return None
        return self._find(rows.by_credential, credential_id)

    def _find(self, query: Query, wanted: str) -> ResourceServer | None:
        return self._recent.get((query, wanted), lambda: self._read(query, wanted))

    def _read(self, query: Query, wanted: str) -> ResourceServer | None:
        with self._store.reading() as connection:
            found = query(connection, wanted)
        return from_rows(found) if found else None

    def check_credential(self, credential_id: str, presented: str) -> ResourceServer | None:
        """Return the enabled resource server with this credential; the same work if none."""
        server = self.by_credential(credential_id)
        digest = secrets.digest(_PURPOSE, presented if presented.isascii() else "")
        right = secrets.same(digest, server.credential_digest if server else b"\0" * 32)
        return server if right and server and not server.disabled else None

    def show(self, identifier: str) -> ResourceServer:
        """Return the resource server as the database has it now. Raises NotFound."""
        server = self._read(rows.find, identifier) if uris.parse(identifier) else None
        if server is None:
            raise NotFound("There is no such resource server.")
        return server

    def list(self) -> list[ResourceServer]:
        """Return every resource server, oldest first."""
        with self._store.reading() as connection:
            found = rows.every(connection)
        return [from_rows(list(same)) for _, same in groupby(found, lambda row: row["id"])]

    def add(
        self,
        identifier: str,
        name: str,
        scopes: Mapping[str, str],
        *,
        access_token_lifetime: int | None = None,
        origin: Origin,
        actor: str,
    ) -> tuple[ResourceServer, str]:
        """Register an API; the secret of its introspection credential is in the answer alone.

        `access_token_lifetime` is in seconds. Raises Invalid, AlreadyExists.
        """
        if identifier == self._issuer:
            raise Invalid("identifier", "The issuer's own URI is for userinfo; take another one.")
        _check(identifier, name, scopes, access_token_lifetime)
        secret = secrets.random_token(CREDENTIAL_PREFIX)
        row = {
            "id": secrets.uuid7(),
            "identifier": identifier,
            "name": name,
            "access_token_lifetime": access_token_lifetime,
            "credential_id": secrets.random_identifier("resource_"),
            "credential_digest": secrets.digest(_PURPOSE, secret),
            "created_at": int(self._clock()),
        }
        owned = [
            {"scope": scope, "resource_server_id": row["id"], "description": description}
            for scope, description in scopes.items()
        ]
        entry = Entry("resource_server.added", actor, detail={"identifier": identifier})
        try:
            with self._store.writing() as connection:
                rows.add(connection, row, owned)
                self._audit.record(connection, origin, entry)
        except Conflict as error:
            raise AlreadyExists("The identifier or one of the scopes is taken.") from error
        self._recent.forget()
        return self.show(identifier), secret

    def rotate_credential(
        self, identifier: str, *, origin: Origin, actor: str
    ) -> tuple[ResourceServer, str]:
        """Return the resource server with a new secret; the one before ends. Raises NotFound."""
        secret = secrets.random_token(CREDENTIAL_PREFIX)
        entry = Entry(
            "resource_server.credential_rotated", actor, detail={"identifier": identifier}
        )
        with self._store.writing() as connection:
            digest = secrets.digest(_PURPOSE, secret)
            if not rows.change_credential(connection, identifier, digest):
                raise NotFound("There is no such resource server.")
            self._audit.record(connection, origin, entry)
        self._recent.forget()
        return self.show(identifier), secret


def _check(
    identifier: str, name: str, scopes: Mapping[str, str], access_token_lifetime: int | None
) -> None:
    uri = uris.parse(identifier)
    if uri is None or uri.fragment is not None or uri.user is not None:
        # RFC 8707 section 2.
        raise Invalid("identifier", "An identifier is an absolute URI without fragment and user.")
    if not _is_text(name):
        raise Invalid("name", "A name has 1 to 200 printable characters.")
    if access_token_lifetime is not None and access_token_lifetime not in _LIFETIMES:
        raise Invalid("access_token_lifetime", f"An access token lives {LIFETIME_BOUNDS} seconds.")
    if len(scopes) > MOST_SCOPES:
        raise Invalid("scopes", f"A resource server has at most {MOST_SCOPES} scopes.")
    for scope, description in scopes.items():
        _check_scope(scope, description)


def _check_scope(scope: str, description: str) -> None:
    if not is_scope(scope):
        raise Invalid("scopes", f"{scope!r} is no scope: 1 to 100 printable ASCII characters.")
    if scope in OIDC_SCOPES:
        raise Invalid("scopes", f"{scope} is a scope of OpenID Connect and belongs to no API.")
    if not _is_text(description):
        raise Invalid("scopes", f"{scope} needs a description of 1 to 200 printable characters.")


def _is_text(text: str) -> bool:
    return bool(text.strip()) and len(text) <= 200 and text.isprintable()
