"""OAuth clients: their registered metadata (RFC 7591 section 2) and their secrets."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from idp.crypto import secrets
from idp.domain import client_secrets, uris
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.client_secrets import ClientSecrets, Sealed
from idp.domain.clock import Clock
from idp.domain.errors import AlreadyExists, Invalid, NotFound
from idp.domain.recent import Recent
from idp.domain.texts import marked
from idp.store import client_logos as logos
from idp.store import clients as rows
from idp.store.database import Connection, RowMapping, Store
from idp.store.errors import Conflict

SECRET_PREFIX = "dw_secret_"
LONGEST_OVERLAP = 90 * 86400
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_NOTED_SECONDS = 86400
_NOBODY = (b"\0" * 32, None)
_COLUMNS = frozenset({"first_party", "sector"})
"""What is no metadata of a client, but a column of its own."""


@dataclass(frozen=True)
class Client:
    """A registered client. Each secret is a digest and its end, seconds since 1970.

    `sector` is what its pairwise subjects are made for; None: its subjects are public.
    `trusted`: an operator registered it, or vouches for who did. `owner_id` is the account it
    belongs to. `last_used_at` may be a day behind; `logo` names its picture.
    """

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: frozenset[str]
    response_types: frozenset[str]
    scopes: frozenset[str]
    auth_method: str
    application_type: str
    require_pkce: bool
    first_party: bool
    id_token_algorithm: str
    default_resource: str | None
    claims_in_id_token: bool
    default_max_age: int | None
    client_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    secrets: tuple[tuple[bytes, int | None], ...] = field(repr=False)
    created_at: int
    disabled: bool
    self_registered: bool
    trusted: bool
    last_used_at: int | None
    logo: str | None
    details: Mapping[str, Any] = field(repr=False, hash=False)
    sector: str | None = None
    sealed_secrets: tuple[Sealed, ...] = field(default=(), repr=False)
    owner_id: str | None = None

    @property
    def public(self) -> bool:
        """Whether it has no credential (RFC 6749 section 2.1)."""
        return self.auth_method == "none"

    @property
    def impersonable(self) -> bool:
        """Whether other programs of a device can answer in its name (RFC 8252 section 8.6).

        So is a public client that is reached at a loopback address or by a private-use scheme.
        """
        return self.public and any(map(claimable, self.redirect_uris))


def claimable(redirect_uri: str) -> bool:
    """Whether any program of a device can answer at a redirect URI."""
    uri = uris.parse(redirect_uri)
    return uri is None or uri.claimable


def from_rows(found: Sequence[RowMapping]) -> Client:
    """Make a client of its rows, one for each secret."""
    row, details = found[0], found[0]["details"]
    return Client(
        client_id=row["client_id"],
        name=details.get("client_name") or row["client_id"],
        redirect_uris=tuple(details["redirect_uris"]),
        post_logout_redirect_uris=tuple(details["post_logout_redirect_uris"]),
        grant_types=frozenset(details["grant_types"]),
        response_types=frozenset(details["response_types"]),
        scopes=frozenset(details["scope"].split()),
        auth_method=details["token_endpoint_auth_method"],
        application_type=details["application_type"],
        require_pkce=details["require_pkce"] or details["token_endpoint_auth_method"] == "none",
        first_party=row["first_party"],
        id_token_algorithm=details["id_token_signed_response_alg"],
        default_resource=details.get("default_resource"),
        claims_in_id_token=details["claims_in_id_token"],
        default_max_age=details.get("default_max_age"),
        client_uri=details.get("client_uri"),
        policy_uri=details.get("policy_uri"),
        tos_uri=details.get("tos_uri"),
        secrets=tuple(
            (each["secret_digest"], each["secret_expires_at"])
            for each in found
            if each["secret_digest"] is not None
        ),
        created_at=row["created_at"],
        disabled=row["disabled_at"] is not None,
        self_registered=row["trusted"] is not None or row["owned"] is not None,
        trusted=row["trusted"] is not False and row["owned"] is None,
        last_used_at=row["last_used_at"],
        logo=row["logo"],
        details=details,
        sector=row["sector"],
        sealed_secrets=_sealed(found),
        owner_id=row["owner_id"],
    )


def _sealed(found: Sequence[RowMapping]) -> tuple[Sealed, ...]:
    return tuple(
        (each["secret_digest"], each["secret_sealed"], each["secret_expires_at"])
        for each in found
        if each["secret_sealed"] is not None
    )


class Clients:
    """Finds, adds and changes clients. What it finds may be `cache_seconds` old on other nodes."""

    def __init__(
        self,
        store: Store,
        audit: Audit,
        clock: Clock,
        cache_seconds: float,
        secrets: ClientSecrets,
    ) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._secrets = secrets
        self._recent: Recent[Client | None] = Recent(clock, cache_seconds)

    def find(self, client_id: str) -> Client | None:
        """Return the client, disabled ones too; None when there is none."""
        if not _CLIENT_ID.fullmatch(client_id):
            return None
        return self._recent.get(client_id, lambda: self._read(client_id))

    def _read(self, client_id: str) -> Client | None:
        with self._store.reading() as connection:
            found = rows.find(connection, client_id)
        return from_rows(found) if found else None

    def get(self, client_id: str) -> Client:
        """Return the client as the database has it now. Raises NotFound."""
        client = self._read(client_id) if _CLIENT_ID.fullmatch(client_id) else None
        if client is None:
            raise NotFound(marked("There is no such client."))
        return client

    def list(self) -> list[Client]:
        """Return every client, oldest first."""
        with self._store.reading() as connection:
            found = rows.every(connection)
        return [from_rows(list(same)) for _, same in groupby(found, lambda row: row["id"])]

    def page(self, limit: int, after: str = "") -> Sequence[Client]:
        """Return at most `limit` clients ordered by `client_id`, beginning behind `after`."""
        with self._store.reading() as connection:
            found = rows.page(connection, limit, after)
        return [from_rows(tuple(same)) for _, same in groupby(found, lambda row: row["id"])]

    def secret_dates(self, client_id: str) -> Sequence[tuple[int, int | None]]:
        """Return when each secret was made, and when it ends, if it does; the newest first."""
        with self._store.reading() as connection:
            found = rows.secrets_of(connection, client_id)
        return [(row["created_at"], row["expires_at"]) for row in found]

    def add(
        self,
        details: Mapping[str, Any],
        *,
        secret: bool,
        origin: Origin,
        actor: str,
        client_id: str | None = None,
    ) -> tuple[Client, str | None]:
        """Register a client with metadata that `registration.validate` returned and, for pairwise
        subjects, `Sectors.settled` completed.

        The secret is in the answer and nowhere else. Raises Invalid, AlreadyExists.
        """
        client_id = secrets.random_identifier() if client_id is None else client_id
        if not _CLIENT_ID.fullmatch(client_id):
            raise Invalid("client_id", "A client id has 1 to 100 letters, digits and . _ ~ - only.")
        new_secret = secrets.random_token(SECRET_PREFIX) if secret else None
        try:
            with self._store.writing() as connection:
                self.add_within(connection, client_id, details, new_secret, origin, actor)
        except Conflict as error:
            raise AlreadyExists(f"There is a client {client_id} already.") from error
        self._recent.forget()
        return self.get(client_id), new_secret

    def add_within(
        self,
        connection: Connection,
        client_id: str,
        details: Mapping[str, Any],
        secret: str | None,
        origin: Origin,
        actor: str,
    ) -> None:
        """Register a client in the caller's transaction. Raises Conflict."""
        now = int(self._clock())
        row = {
            "id": secrets.uuid7(),
            "client_id": client_id,
            "first_party": bool(details.get("first_party")),
            "created_at": now,
            **_registered(details, now),
        }
        entry = Entry(
            "client.added",
            actor,
            client_id=client_id,
            detail={"name": details.get("client_name", ""), "first_party": row["first_party"]},
        )
        rows.add(connection, row)
        if secret is not None:
            rows.add_secret(connection, self._secrets.row(client_id, secret, now, details))
        logos.want(connection, client_id, details.get("logo_uri"), now)
        self._audit.record(connection, origin, entry)

    def change_within(
        self,
        connection: Connection,
        client_id: str,
        details: Mapping[str, Any],
        secret: str | None,
    ) -> None:
        """Replace a client's metadata in the caller's transaction, and add `secret`, if any."""
        now = int(self._clock())
        rows.change(connection, client_id, _registered(details, now))
        if secret is not None:
            rows.add_secret(connection, self._secrets.row(client_id, secret, now, details))
        logos.want(connection, client_id, details.get("logo_uri"), now)

    def forget(self) -> None:
        """Read every client anew: something was changed here."""
        self._recent.forget()

    def used(self, client: Client) -> None:
        """Note that a client is used, at most once a day."""
        now = int(self._clock())
        if client.last_used_at is not None and now - client.last_used_at < _NOTED_SECONDS:
            return
        with self._store.writing() as connection:
            rows.used(connection, client.client_id, now, now - _NOTED_SECONDS)
        self._recent.forget_one(client.client_id)

    def rotate_secret(
        self, client_id: str, keep_old_seconds: int = 0, *, origin: Origin, actor: str
    ) -> str:
        """Return a new secret; the one before works for `keep_old_seconds` more, older ones end.

        Raises NotFound, and Invalid for a public client and beyond 90 days.
        """
        if not 0 <= keep_old_seconds <= LONGEST_OVERLAP:
            raise Invalid("keep_old_seconds", f"Between 0 and {LONGEST_OVERLAP} seconds.")
        secret = secrets.random_token(SECRET_PREFIX)
        now = int(self._clock())
        entry = Entry(
            "client.secret_rotated",
            actor,
            client_id=client_id,
            detail={"keep_old_seconds": keep_old_seconds},
        )
        with self._store.writing() as connection:
            details = self._retire(connection, client_id, now, keep_old_seconds).details
            rows.add_secret(connection, self._secrets.row(client_id, secret, now, details))
            self._audit.record(connection, origin, entry)
        self._recent.forget()
        return secret

    def _retire(
        self, connection: Connection, client_id: str, now: int, keep_old_seconds: int
    ) -> Client:
        # It keeps out who gives it another one at the same moment.
        if not rows.change(connection, client_id, {"updated_at": now}):
            raise NotFound(marked("There is no such client."))
        client = from_rows(rows.find(connection, client_id))
        if not client_secrets.is_needed(client.details):
            kind = "A public" if client.public else "This"
            raise Invalid("token_endpoint_auth_method", f"{kind} client has no secret.")
        kept = _current(client.secrets, now) if keep_old_seconds else None
        rows.drop_secrets(connection, client_id, [kept[0]] if kept else [])
        if kept:
            until = now + keep_old_seconds
            rows.limit_secret(connection, kept[0], min(until, kept[1] or until))
        return client

    def disable(self, client_id: str, *, origin: Origin, actor: str) -> Client:
        """Refuse the client on every path. Raises NotFound."""
        return self._switch(client_id, "client.disabled", int(self._clock()), origin, actor)

    def enable(self, client_id: str, *, origin: Origin, actor: str) -> Client:
        """Accept a disabled client again. Raises NotFound."""
        return self._switch(client_id, "client.enabled", None, origin, actor)

    def _switch(
        self, client_id: str, event: str, disabled_at: int | None, origin: Origin, actor: str
    ) -> Client:
        self.get(client_id)
        values = {"disabled_at": disabled_at, "updated_at": int(self._clock())}
        with self._store.writing() as connection:
            if not rows.change(connection, client_id, values):
                raise NotFound(marked("There is no such client."))
            self._audit.record(connection, origin, Entry(event, actor, client_id=client_id))
        self._recent.forget()
        return self.get(client_id)

    def check_secret(self, client: Client | None, presented: str) -> bool:
        """Whether `presented` is a live secret of an enabled client, with the same work if not."""
        now = self._clock()
        digest = client_secrets.digest_of(presented)
        known = client.secrets if client else ()
        right = False
        for expected, expires_at in (*known, _NOBODY):
            live = expires_at is None or now < expires_at
            right |= secrets.same(digest, expected) & live
        return right and client is not None and not client.disabled

    def symmetric_secrets(self, client: Client) -> Sequence[str]:
        """Return the live secrets, the oldest first, of a client that needs MACs under them."""
        return self._secrets.opened(client.sealed_secrets, self._clock())

    def has_secret(self, client: Client, details: Mapping[str, Any]) -> bool:
        """Whether a live secret of a client would do for this metadata as well."""
        known: Iterable[tuple[Any, ...]] = client.secrets
        if client_secrets.is_recoverable(details):
            known = client.sealed_secrets
        return any(each[-1] is None or each[-1] > self._clock() for each in known)


def _registered(details: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Return the columns that hold what was registered."""
    metadata = {name: value for name, value in details.items() if name not in _COLUMNS}
    return {"details": metadata, "sector": _sector(details), "updated_at": now}


def _sector(details: Mapping[str, Any]) -> str | None:
    """Return what pairwise subjects are made for, None where they are public. Raises Invalid."""
    if details.get("subject_type") != "pairwise":
        return None
    if not details.get("sector"):
        raise Invalid("subject_type", "Pairwise subjects need a sector.")
    return str(details["sector"])


def _current(
    known: Iterable[tuple[bytes, int | None]], now: int
) -> tuple[bytes, int | None] | None:
    """The live secret that lasts longest: the newest, since each before it was given an end."""
    live = [secret for secret in known if secret[1] is None or secret[1] > now]
    return max(
        live, key=lambda secret: float("inf") if secret[1] is None else secret[1], default=None
    )
