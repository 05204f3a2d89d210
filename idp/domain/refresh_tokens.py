"""Refresh tokens: one family for each authorization, rotated at each use, reuse noticed."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass

from idp.crypto.secrets import digest, keyed_digest, random_token
from idp.domain.audit import Origin
from idp.domain.authorizations import (
    ENDED,
    REFRESH_TOKEN,
    Authorization,
    Authorizations,
    Issued,
    from_row,
)
from idp.domain.clock import Clock
from idp.domain.errors import Refused
from idp.store import authorizations as rows
from idp.store.database import Connection, Store


@dataclass(frozen=True)
class PresentedRefresh:
    """A refresh token that was presented. Times are seconds since 1970."""

    authorization: Authorization
    issued_at: int
    expires_at: int
    expired: bool
    superseded: bool


class RefreshTokens:
    """Makes, finds and rotates. `successor_key` is 32 secret bytes, `retry_window` seconds."""

    def __init__(
        self,
        store: Store,
        authorizations: Authorizations,
        clock: Clock,
        successor_key: bytes,
        retry_window: int,
    ) -> None:
        self._store = store
        self._authorizations = authorizations
        self._clock = clock
        self._successor_key = successor_key
        self._retry_window = retry_window

    def first(self) -> str:
        """Return the first token of a family; it counts once the code is redeemed with it."""
        return random_token()

    def successor_of(self, token: str) -> str:
        """Return the token that follows `token`: derived, so that a retry gets the same one
        unstored.
        """
        derived = keyed_digest(self._successor_key, "successor", token)
        return urlsafe_b64encode(derived).rstrip(b"=").decode()

    def find(self, token: str) -> PresentedRefresh | None:
        """Look at a token without using it; used and expired ones are returned too."""
        now = int(self._clock())
        with self._store.reading() as connection:
            row = rows.find_refresh(connection, digest(REFRESH_TOKEN, token), now)
            if row is None:
                return None
            authorization = from_row(connection, row)
        return PresentedRefresh(
            authorization,
            row["token_created_at"],
            row["token_expires_at"],
            row["token_expires_at"] <= now,
            row["superseded_at"] is not None,
        )

    def rotate(
        self, token: str, authorization: Authorization, issued: Issued, origin: Origin
    ) -> None:
        """Replace a token by the one in `issued`, its successor. Raises Refused.

        A repeat within the retry window, while the successor is unused, gets the same successor: an
        answer that was lost must not sign anybody out. Any other reuse revokes the authorization
        (RFC 9700 section 4.14.2).
        """
        with self._store.writing() as connection:
            reason = self._rotate(connection, token, authorization, issued)
            if reason is None:
                self._authorizations.record_issue(connection, authorization, issued, origin)
            else:
                if reason == "reused":
                    self._authorizations.revoke_within(
                        connection, authorization, "refresh token reused", origin
                    )
                self._authorizations.record_refusal(
                    connection, "refresh.refused", authorization, issued.client_id, reason, origin
                )
        if reason:
            raise Refused(reason)

    def _rotate(
        self, connection: Connection, token: str, authorization: Authorization, issued: Issued
    ) -> str | None:
        """Rotate, or return why not."""
        now = int(self._clock())
        presented = digest(REFRESH_TOKEN, token)
        successor = issued.refresh_token or ""
        if not rows.is_open(connection, authorization.id, now):
            return ENDED
        if rows.supersede(connection, presented, now):
            self._authorizations.add_refresh_token(connection, authorization, successor)
            return None
        row = rows.find_refresh(connection, presented, now)
        if row is None or row["superseded_at"] is None:
            return "expired"
        # Whoever waited for the lock may have looked at the clock before the winner did.
        retried = max(0, now - row["superseded_at"]) < self._retry_window
        if retried and rows.refresh_is_unused(connection, digest(REFRESH_TOKEN, successor)):
            return None
        return "reused"
