"""What people who administer may do to others: never more than was given into their hands.

The policies say who may use the admin console; these rules hold whatever the policies say (SECURITY
case 138). A role is given on by whom an assignment of theirs names it to, for no longer than that
assignment lasts, nowhere beyond it, and with no wider a list.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from idp.domain.access import PRIVILEGED_ROLES
from idp.domain.accounts import Account
from idp.domain.roles import ADMINISTRATOR
from idp.store import assignments as rows
from idp.store import groups, memberships
from idp.store import roles as role_rows
from idp.store.database import Connection, RowMapping
from idp.store.rights import EVERY_ROLE, EVERYWHERE

_PRIVILEGED = frozenset(PRIVILEGED_ROLES)
_ACCOUNT = "account:"
_FOR_EVER = float("inf")


@dataclass(frozen=True)
class Gift:
    """A role to give: its id, where (the id of a resource server or EVERYWHERE), until when
    (seconds since 1970, None: for good), and the ids of the roles that may be given on with it.
    """

    role_id: str
    place: str = EVERYWHERE
    expires_at: int | None = None
    grantable: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Power:
    """What one assignment lets its holder give on."""

    grantable: frozenset[str]
    place: str
    expires_at: int | None

    def covers(self, gift: Gift) -> bool:
        """Whether it reaches as far as the gift does."""
        every = EVERY_ROLE in self.grantable
        named = every or {gift.role_id, *gift.grantable} <= self.grantable
        near = self.place in (EVERYWHERE, gift.place)
        return named and near and _end(gift.expires_at) <= _end(self.expires_at)


@dataclass(frozen=True)
class Powers:
    """What somebody may give on. `groups` are those that they are in, `boundless` are operators
    at the machine itself.
    """

    powers: tuple[Power, ...] = ()
    groups: frozenset[str] = frozenset()
    boundless: bool = False

    @property
    def everything(self) -> bool:
        """Whether every role may be given, everywhere and for good."""
        return self.boundless or any(
            EVERY_ROLE in power.grantable and power.place == EVERYWHERE and power.expires_at is None
            for power in self.powers
        )

    def cover(self, gift: Gift) -> bool:
        """Whether one assignment alone covers the gift."""
        return self.boundless or any(power.covers(gift) for power in self.powers)


def powers_of(connection: Connection, actor: str, now: int) -> Powers:
    """Return what an actor, named as in the audit log, may give on."""
    if not actor.startswith(_ACCOUNT):
        return Powers(boundless=actor == "server" or actor.startswith("operator:"))
    account_id = actor.removeprefix(_ACCOUNT)
    found = rows.powers(connection, account_id, now)
    own = tuple(
        Power(frozenset(row["grantable"]), row["place"], row["expires_at"]) for row in found
    )
    return Powers(own, memberships.groups(connection, account_id))


def may_change(actor: Account, person: Account) -> bool:
    """Whether `actor` may change what belongs to `person`: of privileged people, an administrator
    alone.
    """
    return ADMINISTRATOR in actor.roles or not person.roles & _PRIVILEGED


def may_give(
    connection: Connection, powers: Powers, roles: Collection[str], groups_: Collection[str]
) -> bool:
    """Whether these may be given and taken: roles of no resource server, everywhere and for good,
    and groups with all that they bring.
    """
    if powers.everything:
        return True
    gifts = [gift for name in roles for gift in _of_role(connection, name)]
    ids = groups.find(connection, groups_)
    if len(gifts) < len(set(roles)) or set(groups_) - (powers.groups & ids.keys()):
        return False  # one that is not there yet is for who may give everything
    gifts += _of_groups(connection, ids)
    return all(map(powers.cover, gifts))


def _of_role(connection: Connection, name: str) -> list[Gift]:
    row = role_rows.find(connection, name, None)
    return [Gift(row["id"])] if row else []


def _of_groups(connection: Connection, ids: Mapping[str, str]) -> list[Gift]:
    """Return what somebody gets who is put into these groups."""
    around = groups.around(connection, ids.values()) if ids else ()
    return [_gift(row) for row in rows.of_holders(connection, "group", around)]


def _gift(row: RowMapping) -> Gift:
    return Gift(row["role_id"], row["place"], row["expires_at"], frozenset(row["grantable"]))


def _end(expires_at: int | None) -> float:
    return _FOR_EVER if expires_at is None else expires_at
