"""How clients come here without an operator, put together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from idp.config import Settings
from idp.domain.audit import Audit
from idp.domain.clients import Clients
from idp.domain.clock import Clock
from idp.domain.initial_tokens import InitialTokens
from idp.domain.logos import Logos
from idp.domain.owned_clients import OwnedClients
from idp.domain.registrations import Registrations
from idp.domain.remote_documents import Fetches
from idp.domain.throttling import Throttle
from idp.store.database import Store


@dataclass(frozen=True)
class Registering:
    """Clients that register themselves, the tokens they need for it, those that belong to people,
    and every client's picture.
    """

    initial_tokens: InitialTokens
    registrations: Registrations
    owned: OwnedClients
    logos: Logos

    @property
    def tasks(self) -> Sequence[Callable[[], object]]:
        """What recurs."""
        return (self.registrations.delete_unused,)


def registering(
    store: Store,
    clients: Clients,
    throttle: Throttle,
    audit: Audit,
    clock: Clock,
    settings: Settings,
    fetcher: Fetches,
) -> Registering:
    """Put it together."""
    tokens = InitialTokens(store, audit, clock)
    logos = Logos(store, clients, clock, fetcher)
    registrations = Registrations(
        store, clients, tokens, logos.look_soon, throttle, audit, clock, settings
    )
    owned = OwnedClients(store, clients, throttle, audit, settings)
    return Registering(tokens, registrations, owned, logos)
