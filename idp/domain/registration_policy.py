"""What clients that register themselves may register: the operator's word, by settings or by the
initial access token they were given.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from idp.config import Settings


@dataclass(frozen=True)
class RegistrationPolicy:
    """Bounds of what is registered. An empty tuple: anything, but for `scopes`, which are all there
    are, and `grant_types`, of which then those are allowed in which a person takes part.

    `redirect_hosts` are hosts (`app.example.com`, `*.example.com`) and private-use schemes
    (`com.example.app:`). `trusted`: who registers is known to the operator. `require_pkce`: nobody
    does without.
    """

    scopes: tuple[str, ...]
    grant_types: tuple[str, ...] = ()
    redirect_hosts: tuple[str, ...] = ()
    auth_methods: tuple[str, ...] = ()
    require_pkce: bool = True
    trusted: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)


def from_json(stored: Mapping[str, Any]) -> RegistrationPolicy:
    """Return what `as_json` stored."""
    lists = {name: tuple(value) for name, value in stored.items() if isinstance(value, list)}
    return RegistrationPolicy(**{**stored, **lists})


def of_settings(settings: Settings) -> RegistrationPolicy:
    """Return the policy for whoever comes without an initial access token."""
    return RegistrationPolicy(
        scopes=settings.registration_scopes,
        redirect_hosts=settings.registration_redirect_hosts,
        require_pkce=settings.registration_require_pkce,
        trusted=settings.registration_trusted,
    )
