"""What roles and groups may be called, and that somebody stays who can administer."""

import re
import unicodedata

from idp.domain.errors import DomainError, Invalid
from idp.domain.texts import marked
from idp.store import memberships as rows
from idp.store.database import Connection

ADMINISTRATOR = "administrator"
_ROLE = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_GROUP = re.compile(r"[^\s,]{1,100}")


class LastAdministrator(DomainError):
    """Nobody could administer any more."""

    def __init__(self, account_id: str, email: str) -> None:
        said = marked(
            "%(email)s is the last administrator. Make somebody else one first.", email=email
        )
        super().__init__(said)
        self.account_id = account_id


def checked_role(role: str) -> str:
    """Return a role's name. Raises Invalid."""
    if not _ROLE.fullmatch(role):
        raise Invalid("role", marked("A role is a lower-case word."))
    return role


def checked_group(group: str) -> str:
    """Return a group's name in normal form. Raises Invalid."""
    name = unicodedata.normalize("NFC", group)
    if not _GROUP.fullmatch(name) or not name.isprintable():
        text = marked("A group’s name has 1 to 100 printable characters, no space and no comma.")
        raise Invalid("group", text)
    return name


def keep_an_administrator(connection: Connection, account_id: str, email: str) -> None:
    """Refuse to lose the only enabled administrator, before anything else of the transaction is
    locked. Raises LastAdministrator.
    """
    holders = rows.lock_holders(connection, ADMINISTRATOR)
    if account_id in {row["id"] for row in holders} and not any(
        row["id"] != account_id and row["disabled_at"] is None for row in holders
    ):
        raise LastAdministrator(account_id, email)
