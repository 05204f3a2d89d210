"""One running Doorward, wherever it runs, and those who know it."""

from collections.abc import Callable
from dataclasses import dataclass

import requests

from tests.support import seeds as seeded
from tests.support.browserless import Browserless, Person
from tests.support.discovery import Discovery
from tests.support.seeds import ADA, NOTES_API, Seeds
from tests.support.token_client import TokenClient


@dataclass(frozen=True)
class Deployment:
    """A server by its issuer. `new_http` gives a session of its own, with its own cookies."""

    issuer: str
    seeds: Seeds
    new_http: Callable[[], requests.Session]

    def browserless(self, person: Person | None = ADA) -> Browserless:
        """Return a browser in which nobody is signed in yet, with `person` before it."""
        http = self.new_http()
        return Browserless(http, Discovery(http, self.issuer), person)

    def client(self, client_id: str = "webapp") -> TokenClient:
        """Return a seeded client."""
        return self._knows(
            client_id,
            self.seeds.client_secrets[client_id],
            redirect_uri=seeded.redirect_uri(client_id),
            method=seeded.auth_method(client_id),
        )

    def resource_server(self, identifier: str = NOTES_API) -> TokenClient:
        """Return a seeded API, which can introspect."""
        return self._knows(*self.seeds.credentials[identifier])

    def _knows(self, name: str, secret: str, **facts: str) -> TokenClient:
        http = self.new_http()
        return TokenClient(http, Discovery(http, self.issuer), name, secret, **facts)
