"""Initial access tokens (RFC 7591 section 1.2): an operator hands them out, and who has one may
register clients with it, so often, so long, and within its policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from idp.crypto import secrets
from idp.domain import registration_policy
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import Invalid, NotFound, Refused
from idp.domain.registration_policy import RegistrationPolicy
from idp.store import registrations as rows
from idp.store.database import Connection, RowMapping, Store

PREFIX = "dw_initial_"
MOST_USES = 10_000
LONGEST_LIFETIME = 400 * 86400
_PURPOSE = "initial access token"


@dataclass(frozen=True)
class InitialToken:
    """An initial access token without its value. Times are seconds since 1970."""

    id: str
    name: str
    policy: RegistrationPolicy = field(hash=False)
    uses_left: int
    created_at: int
    expires_at: int


class InitialTokens:
    """Makes, finds, uses and revokes them."""

    def __init__(self, store: Store, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock

    def add(
        self,
        name: str,
        policy: RegistrationPolicy,
        *,
        uses: int,
        lifetime: int,
        origin: Origin,
        actor: str,
    ) -> tuple[InitialToken, str]:
        """Make a token that works `uses` times within `lifetime` seconds; its value is in the
        answer and nowhere else. Raises Invalid.
        """
        _check(name, uses, lifetime)
        token, token_id = secrets.random_token(PREFIX), secrets.uuid7()
        now = int(self._clock())
        row = {
            "id": token_id,
            "name": name,
            "digest": secrets.digest(_PURPOSE, token),
            "policy": policy.as_json(),
            "uses_left": uses,
            "created_at": now,
            "expires_at": now + lifetime,
        }
        detail = {"token": token_id, "name": name, "uses": uses, "lifetime": lifetime}
        with self._store.writing() as connection:
            rows.add_token(connection, row)
            entry = Entry("initial_token.added", actor, detail=detail)
            self._audit.record(connection, origin, entry)
        return InitialToken(token_id, name, policy, uses, now, now + lifetime), token

    def list(self) -> Sequence[InitialToken]:
        """Return every token that is kept, oldest first; expired ones go with housekeeping."""
        with self._store.reading() as connection:
            return [_from_row(row) for row in rows.tokens(connection)]

    def find(self, presented: str) -> InitialToken:
        """Return the token while it works. Raises Refused."""
        # Ours are ASCII; what is not can't be one, and might not even be encoded.
        digest = secrets.digest(_PURPOSE, presented if presented.isascii() else "")
        with self._store.reading() as connection:
            row = rows.find_token(connection, digest)
        if row is None:
            raise Refused("unknown initial access token")
        if row["expires_at"] <= int(self._clock()) or row["uses_left"] < 1:
            raise Refused("initial access token expired or used up")
        return _from_row(row)

    def take_within(self, connection: Connection, token: InitialToken) -> None:
        """Use the token once in the caller's transaction: of many at once no more win than it has
        uses. Raises Refused.
        """
        if not rows.take_use(connection, token.id, int(self._clock())):
            raise Refused("initial access token expired or used up")

    def revoke(self, token_id: str, *, origin: Origin, actor: str) -> None:
        """End a token; what was registered with it stays. Raises NotFound."""
        with self._store.writing() as connection:
            if not rows.remove_token(connection, token_id):
                raise NotFound("There is no such initial access token.")
            entry = Entry("initial_token.revoked", actor, detail={"token": token_id})
            self._audit.record(connection, origin, entry)


def _check(name: str, uses: int, lifetime: int) -> None:
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise Invalid("name", "A name has 1 to 100 printable characters.")
    if not 1 <= uses <= MOST_USES:
        raise Invalid("uses", f"Between 1 and {MOST_USES} uses.")
    if not 60 <= lifetime <= LONGEST_LIFETIME:
        raise Invalid("lifetime", f"Between 60 and {LONGEST_LIFETIME} seconds.")


def _from_row(row: RowMapping) -> InitialToken:
    return InitialToken(
        row["id"],
        row["name"],
        registration_policy.from_json(row["policy"]),
        row["uses_left"],
        row["created_at"],
        row["expires_at"],
    )
