"""What people who administer may do to others: never more than they could do to themselves.

The policies say who may use the admin console; these rules hold whatever the policies say (SECURITY
case 138).
"""

from collections.abc import Collection

from idp.domain.access import PRIVILEGED_ROLES
from idp.domain.accounts import Account
from idp.domain.roles import ADMINISTRATOR

_PRIVILEGED = frozenset(PRIVILEGED_ROLES)


def may_change(actor: Account, person: Account) -> bool:
    """Whether `actor` may change what belongs to `person`: of privileged people, an administrator
    alone.
    """
    return ADMINISTRATOR in actor.roles or not person.roles & _PRIVILEGED


def may_give(actor: Account, roles: Collection[str], groups: Collection[str]) -> bool:
    """Whether `actor` may give these, or take them away: an administrator everything, others what
    they have and nothing privileged.
    """
    if ADMINISTRATOR in actor.roles:
        return True
    return set(roles) <= actor.roles - _PRIVILEGED and set(groups) <= actor.groups
