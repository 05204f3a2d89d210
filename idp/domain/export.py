"""Everything that is kept about a person, for the person: without secrets, and nobody else's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from idp.domain.accounts import Account
from idp.domain.activity import Activity
from idp.domain.audit import Audit, By, Entry
from idp.domain.clock import Clock
from idp.domain.connections import Connections
from idp.domain.credentials.passkeys import Passkeys
from idp.domain.credentials.recovery_codes import RecoveryCodes
from idp.domain.credentials.totp import Authenticators
from idp.domain.devices import Devices
from idp.domain.own_password import OwnPassword
from idp.domain.sessions import Sessions
from idp.domain.subjects import Subjects
from idp.store import clients
from idp.store.database import Store

Document = dict[str, Any]


class Export:
    """Gathers it."""

    def __init__(
        self,
        store: Store,
        passwords: OwnPassword,
        passkeys: Passkeys,
        authenticators: Authenticators,
        recovery_codes: RecoveryCodes,
        devices: Devices,
        sessions: Sessions,
        connections: Connections,
        subjects: Subjects,
        activity: Activity,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._passkeys = passkeys
        self._authenticators = authenticators
        self._recovery_codes = recovery_codes
        self._devices = devices
        self._sessions = sessions
        self._connections = connections
        self._subjects = subjects
        self._activity = activity
        self._audit = audit
        self._clock = clock

    def of(self, account: Account, by: By) -> Document:
        """Return it as JSON-ready values, times in ISO 8601 (UTC); that it was asked for is
        recorded.
        """
        with self._store.writing() as connection:
            entry = Entry("account.exported", by.actor, account.id)
            self._audit.record(connection, by.origin, entry)
        return {
            "exported_at": _time(int(self._clock())),
            "account": _account(account),
            "credentials": self._credentials(account.id),
            "sessions": [_session(asdict(one)) for one in self._sessions.of(account.id)],
            "devices": _rows(map(asdict, self._devices.of(account.id))),
            "applications": self._applications(account),
            "registered_applications": self._registered(account.id),
            "activity": [_happening(asdict(one)) for one in self._activity.all(account.id)],
        }

    def _credentials(self, account_id: str) -> Document:
        return {
            "password_set_at": _time(self._passwords.changed_at(account_id)),
            "passkeys": _rows(map(asdict, self._passkeys.of(account_id))),
            "authenticators": _rows(map(asdict, self._authenticators.of(account_id))),
            "recovery_codes_left": self._recovery_codes.left(account_id),
        }

    def _applications(self, account: Account) -> list[Document]:
        return [
            {
                "client_id": one.client.client_id,
                "name": one.client.name,
                "sub": self._subjects.of(account, one.client),
                "scopes": list(one.scopes),
                "since": _time(one.since),
                "last_used_at": _time(one.last_used_at),
                "stays_connected": one.offline,
            }
            for one in self._connections.of(account.id)
        ]

    def _registered(self, account_id: str) -> list[Document]:
        """Return the clients that belong to the person, as they are registered."""
        with self._store.reading() as connection:
            found = {row["client_id"]: row for row in clients.owned(connection, account_id)}
        return [
            {
                "client_id": row["client_id"],
                "metadata": dict(row["details"]),
                "created_at": _time(row["created_at"]),
            }
            for row in found.values()
        ]


def _account(account: Account) -> Document:
    return {
        "id": account.id,
        "sub": account.subject,
        "email": account.email,
        "email_verified": account.email_verified,
        "name": account.name,
        "profile": dict(account.profile),
        "roles": sorted(account.roles),
        "groups": sorted(account.groups),
        "language": account.language,
        "theme": account.theme,
        "passkey_quiet_until": _time(account.passkey_quiet_until),
        "created_at": _time(account.created_at),
        "updated_at": _time(account.updated_at),
        "deletes_at": _time(account.deletes_at),
    }


def _session(values: Document) -> Document:
    del values["account"]
    values["proofs"] = {method: _time(at) for method, at in values["proofs"].items()}
    values["auth_time"] = _time(values["auth_time"])
    return _timed(values)


def _happening(values: Document) -> Document:
    values["at"] = _time(values["at"])
    return values


def _rows(rows: Any) -> list[Document]:
    return [_timed(values) for values in rows]


def _timed(values: Document) -> Document:
    return {
        name: _time(value) if name.endswith(("_at", "_until")) else _plain(value)
        for name, value in values.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return list(value) if is_list else value


def _time(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
