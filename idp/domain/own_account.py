"""What people do with their own account, put together."""

from dataclasses import dataclass

from idp.domain.activity import Activity
from idp.domain.addresses import Addresses
from idp.domain.connections import Connections
from idp.domain.deletion import Deletion
from idp.domain.export import Export
from idp.domain.own_factors import OwnFactors
from idp.domain.own_password import OwnPassword
from idp.domain.profiles import Profiles


@dataclass(frozen=True)
class OwnAccount:
    """One part for each page of the account console that needs one."""

    profiles: Profiles
    addresses: Addresses
    password: OwnPassword
    factors: OwnFactors
    connections: Connections
    activity: Activity
    deletion: Deletion
    export: Export
