"""Every table. Times are whole seconds since 1970 (UTC) unless the name says otherwise; row ids are
UUIDv7.

Queries use the Core tables (`table(Account)`); the models give names and types. Secrets are columns
named digest (SHA-256 or HMAC), hash (argon2id) or sealed (AES-256-GCM): nothing here can be used by
who reads a dump.
"""

from typing import TYPE_CHECKING, Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry


class Base(DeclarativeBase):
    """The registry that Flask-SQLAlchemy makes the engine for."""

    registry = registry(
        type_annotation_map={
            int: BigInteger,
            str: Text,
            bytes: LargeBinary,
            dict[str, Any]: JSON,
            list[str]: JSON,
        }
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True)
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def table(model: type[Base]) -> Table:
    """Return the Core table of a model, for the queries."""
    return cast(Table, model.__table__)


def _id() -> Mapped[str]:
    return mapped_column(String(36), primary_key=True)


class Installation(Model):
    """Facts about this database: check value of the key-encryption key, whether an administrator
    was made.
    """

    __tablename__ = "installation"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]


class SealedSecret(Model):
    """Symmetric keys of the server itself, sealed: successor derivation, form protection, short
    codes.
    """

    __tablename__ = "sealed_secrets"
    name: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    created_at: Mapped[int]


class SigningKey(Model):
    """One asymmetric key, in one of the states next, active, retiring, archived, withdrawn.

    Of those that sign the first three are published, of those that decrypt only the active ones.
    `longest_token` is the longest life, in seconds, of what it signs or may be encrypted to it;
    `keep_until` is when the last of these ends; `archived_at` is when it was not needed any more.
    """

    __tablename__ = "signing_keys"
    kid: Mapped[str] = mapped_column(primary_key=True)
    algorithm: Mapped[str]
    state: Mapped[str]
    public_jwk: Mapped[dict[str, Any]]
    sealed_private: Mapped[bytes | None]
    longest_token: Mapped[int]
    created_at: Mapped[int]
    usable_from: Mapped[int]
    activated_at: Mapped[int | None]
    retired_at: Mapped[int | None]
    keep_until: Mapped[int | None]
    archived_at: Mapped[int | None]
    __table_args__ = tuple(
        Index(
            f"one_{state}_key_per_algorithm",
            "algorithm",
            unique=True,
            sqlite_where=text(f"state = '{state}'"),
            postgresql_where=text(f"state = '{state}'"),
        )
        for state in ("next", "active")
    )


class Account(Model):
    """A person. `email_key` is the address as compared: normalised and case-folded.

    `deletes_at` is when an account whose person asked for it is deleted; `language` and `theme` are
    what the person chose for our pages, if anything. Until `passkey_quiet_until` they are not to be
    asked whether they want a passkey.
    """

    __tablename__ = "accounts"
    id: Mapped[str] = _id()
    subject: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    email_verified: Mapped[bool]
    name: Mapped[str]
    profile: Mapped[dict[str, Any]]
    created_at: Mapped[int]
    updated_at: Mapped[int]
    disabled_at: Mapped[int | None]
    deletes_at: Mapped[int | None] = mapped_column(index=True)
    language: Mapped[str | None]
    theme: Mapped[str | None]
    passkey_quiet_until: Mapped[int | None]
    __table_args__ = tuple(
        Index(f"accounts_by_{column}", column, postgresql_ops={column: "text_pattern_ops"})
        for column in ("email_key", "name")
    )


class Group(Model):
    """People, and other groups. Names are compared as they are, in normal form C."""

    __tablename__ = "groups"
    id: Mapped[str] = _id()
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str]
    created_at: Mapped[int]


class GroupMembership(Model):
    """A group that a person is in."""

    __tablename__ = "group_memberships"
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[str] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    added_at: Mapped[int]


class GroupNesting(Model):
    """Who is in the group `inner_id` is in the group `outer_id` too. There is no circle."""

    __tablename__ = "group_nestings"
    inner_id: Mapped[str] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True
    )
    outer_id: Mapped[str] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    added_at: Mapped[int]


class Role(Model):
    """What people, groups and clients may be; a resource server's means something there alone."""

    __tablename__ = "roles"
    id: Mapped[str] = _id()
    name: Mapped[str]
    resource_server_id: Mapped[str | None] = mapped_column(
        ForeignKey("resource_servers.id", ondelete="CASCADE")
    )
    description: Mapped[str]
    created_at: Mapped[int]
    __table_args__ = (
        Index("one_role_of_a_name", "resource_server_id", "name", unique=True),
        Index(
            "one_role_of_a_name_everywhere",
            "name",
            unique=True,
            sqlite_where=text("resource_server_id IS NULL"),
            postgresql_where=text("resource_server_id IS NULL"),
        ),
    )


class RoleInclusion(Model):
    """Who has the role `role_id` has `included_id` too. There is no circle."""

    __tablename__ = "role_inclusions"
    role_id: Mapped[str] = mapped_column(
        ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True
    )
    included_id: Mapped[str] = mapped_column(
        ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    added_at: Mapped[int]


class _Assignment(Model):
    """A role that somebody has. `place` is the id of a resource server, empty: everywhere.

    `grantable` are the ids of the roles that its holder may give on, or EVERY_ROLE alone;
    `granted_by` is an actor as the audit log names it; None in `expires_at`: it stays.
    """

    __abstract__ = True
    role_id: Mapped[str] = mapped_column(
        ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    place: Mapped[str] = mapped_column(primary_key=True)
    grantable: Mapped[list[str]]
    granted_by: Mapped[str]
    granted_at: Mapped[int]
    expires_at: Mapped[int | None] = mapped_column(index=True)


class AccountRole(_Assignment):
    """A role that a person was given."""

    __tablename__ = "account_roles"
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, sort_order=-1
    )


class GroupRole(_Assignment):
    """A role that everybody in a group has."""

    __tablename__ = "group_roles"
    group_id: Mapped[str] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, sort_order=-1
    )


class ClientRole(_Assignment):
    """A role that a client has when it acts for itself."""

    __tablename__ = "client_roles"
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True, sort_order=-1
    )


class Password(Model):
    """A person's password, as an argon2id string that carries its parameters."""

    __tablename__ = "passwords"
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    hash: Mapped[str]
    changed_at: Mapped[int]


class Passkey(Model):
    """A WebAuthn credential of a person. `public_key` is a COSE key; `credential_id` is what the
    authenticator calls it. `silent`: nobody was asked when it was made, nor has anybody used it.
    """

    __tablename__ = "passkeys"
    id: Mapped[str] = _id()
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    aaguid: Mapped[str]
    name: Mapped[str]
    transports: Mapped[list[str]]
    synced: Mapped[bool]
    backed_up: Mapped[bool]
    silent: Mapped[bool]
    created_at: Mapped[int]
    last_used_at: Mapped[int | None]


class Authenticator(Model):
    """A person's TOTP authenticator. `last_step` is the time step of the last code it was used
    with: neither that one nor one before works again.
    """

    __tablename__ = "authenticators"
    id: Mapped[str] = _id()
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    sealed_seed: Mapped[bytes]
    last_step: Mapped[int]
    created_at: Mapped[int]
    last_used_at: Mapped[int | None]


class RecoveryCode(Model):
    """One of a person's recovery codes. `selector` is its beginning, in clear, by which the one
    hash to check is found.
    """

    __tablename__ = "recovery_codes"
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    selector: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str]
    created_at: Mapped[int]
    used_at: Mapped[int | None]


class Device(Model):
    """A browser from which a person signed in. It is known by a cookie of its own.

    Until `trusted_until` it stands in for the second factor where policies allow that.
    """

    __tablename__ = "devices"
    id: Mapped[str] = _id()
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    cookie_digest: Mapped[bytes]
    created_at: Mapped[int]
    seen_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
    trusted_until: Mapped[int | None]
    last_factor: Mapped[str]
    address: Mapped[str]
    user_agent: Mapped[str]
    __table_args__ = (
        Index("one_device_per_browser_and_account", "cookie_digest", "account_id", unique=True),
    )


class OutgoingMail(Model):
    """A mail until it was delivered, and a while longer. `sealed` holds its text, since it may
    carry a link.
    """

    __tablename__ = "outgoing_mail"
    id: Mapped[str] = _id()
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str]
    sealed: Mapped[bytes]
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
    next_try_at: Mapped[int | None] = mapped_column(index=True)
    tries: Mapped[int]
    sent_at: Mapped[int | None]
    problem: Mapped[str | None]


class Client(Model):
    """An OAuth client with its RFC 7591 metadata. Pairwise subjects are made for its `sector`.

    `last_used_at` is at most a day behind; `logo` names the picture in `client_logos`.
    """

    __tablename__ = "clients"
    id: Mapped[str] = _id()
    client_id: Mapped[str] = mapped_column(unique=True)
    details: Mapped[dict[str, Any]]
    first_party: Mapped[bool]
    sector: Mapped[str | None]
    created_at: Mapped[int]
    updated_at: Mapped[int]
    disabled_at: Mapped[int | None]
    last_used_at: Mapped[int | None]
    logo: Mapped[str | None]


class ClientRegistration(Model):
    """That a client registered itself, the token it manages itself with, and what it may register:
    an empty `policy` is the one of the settings. `trusted`: the operator vouches for it.
    """

    __tablename__ = "client_registrations"
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True
    )
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    policy: Mapped[dict[str, Any]]
    trusted: Mapped[bool]


class ClientOwner(Model):
    """That a person registered a client, which belongs to them: NULL once they are gone."""

    __tablename__ = "client_owners"
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="SET NULL"), index=True
    )


class InitialToken(Model):
    """An initial access token: with it developers register clients, `uses_left` times."""

    __tablename__ = "initial_tokens"
    id: Mapped[str] = _id()
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    policy: Mapped[dict[str, Any]]
    uses_left: Mapped[int]
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)


class ClientError(Model):
    """What a client was told that was wrong, for its developer: equal errors share a row.

    `proven`: the client is known to have sent it; else somebody did who named it. `told` holds no
    secret, no token and nobody's data.
    """

    __tablename__ = "client_errors"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.client_id", ondelete="CASCADE"))
    proven: Mapped[bool]
    told: Mapped[dict[str, Any]]
    first_at: Mapped[int]
    last_at: Mapped[int]
    times: Mapped[int]
    request_id: Mapped[str]
    expires_at: Mapped[int] = mapped_column(index=True)
    __table_args__ = (Index("client_errors_of_client", "client_id", "proven", "last_at"),)


class ClientLogo(Model):
    """The picture at a client's `logo_uri`, and when to look there next (NULL: not again)."""

    __tablename__ = "client_logos"
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True
    )
    uri: Mapped[str]
    media_type: Mapped[str | None]
    picture: Mapped[bytes | None]
    digest: Mapped[str | None]
    tries: Mapped[int]
    due_at: Mapped[int | None] = mapped_column(index=True)


class ClientSecret(Model):
    """One of a client's live secrets; `sealed` only where a MAC is made of it."""

    __tablename__ = "client_secrets"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    sealed: Mapped[bytes | None]


class ResourceServer(Model):
    """An API that accepts our access tokens. `credential_id` and its digest are for
    introspection.
    """

    __tablename__ = "resource_servers"
    id: Mapped[str] = _id()
    identifier: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    access_token_lifetime: Mapped[int | None]
    credential_id: Mapped[str] = mapped_column(unique=True)
    credential_digest: Mapped[bytes]
    created_at: Mapped[int]
    disabled_at: Mapped[int | None]


class ResourceScope(Model):
    """A scope and the one resource server that owns it."""

    __tablename__ = "resource_scopes"
    scope: Mapped[str] = mapped_column(primary_key=True)
    resource_server_id: Mapped[str] = mapped_column(
        ForeignKey("resource_servers.id", ondelete="CASCADE"), index=True
    )
    description: Mapped[str]


class Consent(Model):
    """A scope that a person allowed a client; `resource` is empty for the scopes of
    OpenID Connect.
    """

    __tablename__ = "consents"
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True
    )
    resource: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    granted_at: Mapped[int]


class Session(Model):
    """One account's login in a browser, which may hold several. The cookie is stored as its digest.

    `proofs` says which factor was proven at which second. Of a browser's sessions the one with the
    latest `chosen_at` is the present one. `kept` is a session for which the person asked to stay
    signed in.
    """

    __tablename__ = "sessions"
    id: Mapped[str] = _id()
    cookie_digest: Mapped[bytes] = mapped_column(index=True)
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    auth_time: Mapped[int]
    amr: Mapped[list[str]]
    acr: Mapped[str]
    proofs: Mapped[dict[str, Any]]
    kept: Mapped[bool]
    chosen_at: Mapped[int]
    created_at: Mapped[int]
    seen_at: Mapped[int]
    idle_expires_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
    ended_at: Mapped[int | None]
    address: Mapped[str]
    user_agent: Mapped[str]
    __table_args__ = (
        Index(
            "one_live_session_per_browser_and_account",
            "cookie_digest",
            "account_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )


class SessionClient(Model):
    """A client that a session was used for. `sid` names the session to this client alone, and
    `subject` is what the person is called there.
    """

    __tablename__ = "session_clients"
    session_id: Mapped[str] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True
    )
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    sid: Mapped[str] = mapped_column(unique=True)
    subject: Mapped[str]


class LogoutNotice(Model):
    """A client that is to be told that a session has ended: until it was, and a while longer."""

    __tablename__ = "logout_notices"
    sid: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), index=True
    )
    subject: Mapped[str]
    account_id: Mapped[str]
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
    next_try_at: Mapped[int | None] = mapped_column(index=True)
    tries: Mapped[int]
    sent_at: Mapped[int | None]
    problem: Mapped[str | None]


class Authorization(Model):
    """What one person allowed one client in one completed request. Its id is in access tokens, so
    it is random.

    `claims` are those that were asked for one by one, beside what the scopes tell.
    """

    __tablename__ = "authorizations"
    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[str | None] = mapped_column(
        ForeignKey("sessions.id", ondelete="SET NULL"), index=True
    )
    sid: Mapped[str | None]
    session_bound: Mapped[bool]
    scopes: Mapped[list[str]]
    resource: Mapped[str | None]
    auth_time: Mapped[int]
    amr: Mapped[list[str]]
    acr: Mapped[str]
    claims: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
    revoked_at: Mapped[int | None]
    revoked_because: Mapped[str | None]


class OneTime(Model):
    """A value that works once. `binding` ties it to a browser, `authorization_id` to what it opens.

    `former_binding` is the browser's cookie before its sign-in: a second click may come with it.
    """

    __tablename__ = "one_time"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    sealed: Mapped[bytes]
    binding: Mapped[bytes | None] = mapped_column(index=True)
    former_binding: Mapped[bytes | None]
    authorization_id: Mapped[str | None]
    created_at: Mapped[int]
    expires_at: Mapped[int]
    used_at: Mapped[int | None]
    keep_until: Mapped[int] = mapped_column(index=True)


class RefreshToken(Model):
    """A refresh token's digest; superseded ones are kept, to notice their reuse."""

    __tablename__ = "refresh_tokens"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    authorization_id: Mapped[str] = mapped_column(
        ForeignKey("authorizations.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
    superseded_at: Mapped[int | None]


class RevokedToken(Model):
    """An access token revoked by itself, until it would have expired."""

    __tablename__ = "revoked_tokens"
    jti_digest: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[int] = mapped_column(index=True)


class AuditEntry(Model):
    """Who did what to whom, when, from where, and how it ended. `at_ms` is milliseconds.

    `position` is the number of its leaf in the Merkle tree; empty until it is sealed.
    """

    __tablename__ = "audit_entries"
    id: Mapped[str] = _id()
    at_ms: Mapped[int] = mapped_column(index=True)
    event: Mapped[str]
    outcome: Mapped[str]
    actor: Mapped[str]
    account_id: Mapped[str | None]
    client_id: Mapped[str | None]
    address: Mapped[str]
    request_id: Mapped[str]
    detail: Mapped[dict[str, Any]]
    position: Mapped[int | None]
    __table_args__ = (
        Index("audit_entries_of_account", "account_id", "id"),
        Index("audit_entries_by_position", "position", "id"),
    )


class AuditTree(Model):
    """The one Merkle tree over the audit entries, as far as they are sealed.

    `peaks` are the roots of its perfect subtrees, `checkpoint` is the signed note of this very
    size. Entries before `dropped` were deleted when their time was over; `dropped_seal` proves
    that we did it.
    """

    __tablename__ = "audit_tree"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    origin: Mapped[str]
    size: Mapped[int]
    peaks: Mapped[bytes]
    checkpoint: Mapped[str]
    sealed_at: Mapped[int]
    dropped: Mapped[int]
    dropped_seal: Mapped[bytes]


class AuditTile(Model):
    """Up to 256 hashes of the tree, side by side: of leaves at level 0, of full tiles above it.

    `seals` are keyed digests of the leaves with their positions; empty above level 0.
    """

    __tablename__ = "audit_tiles"
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hashes: Mapped[bytes]
    seals: Mapped[bytes]


class AuditCheckpoint(Model):
    """A signed note about the tree when it had `size` leaves, kept for ever."""

    __tablename__ = "audit_checkpoints"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note: Mapped[str]
    created_at: Mapped[int]


class AuditStream(Model):
    """How far a target of entries is: it has all before `position`."""

    __tablename__ = "audit_streams"
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    tries: Mapped[int]
    next_try_at: Mapped[int]
    problem: Mapped[str | None]
    delivered_at: Mapped[int | None]


class AuditKey(Model):
    """A key that signs checkpoints, or did until `retired_at`, when its private half was deleted.

    `seal` proves that we made it.
    """

    __tablename__ = "audit_keys"
    id: Mapped[str] = _id()
    origin: Mapped[str]
    public: Mapped[bytes]
    seal: Mapped[bytes]
    sealed_private: Mapped[bytes | None]
    created_at: Mapped[int]
    retired_at: Mapped[int | None]


class Counter(Model):
    """A rate limit's or a failure counter's state."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(primary_key=True)
    hits: Mapped[int]
    open_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)


class Lease(Model):
    """Which node does a recurring task, and until when it alone may."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    expires_at: Mapped[int]
