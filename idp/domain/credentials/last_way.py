"""Nobody removes their own last way to sign in: a password, or a passkey.

Mail is not counted, though it may be one: it does not always arrive.
"""

from idp.domain.accounts import Account
from idp.domain.audit import By
from idp.domain.errors import DomainError
from idp.domain.texts import marked
from idp.store import standings
from idp.store.database import Connection

WAYS = frozenset({"password", "passkey"})


class LastWay(DomainError):
    """It is the last one."""

    def __init__(self) -> None:
        super().__init__(
            marked("This is your only way to sign in. Add another one first, then remove it.")
        )


def keep_a_way_in(connection: Connection, account: Account, by: By) -> None:
    """Undo, in the transaction of a removal, what its own person would be shut out by.

    The account is locked before, so that of two removals at once one sees the other. Raises
    LastWay.
    """
    if by.actor != f"account:{account.id}":
        return
    if not standings.credentials(connection, account.id) & WAYS:
        raise LastWay
