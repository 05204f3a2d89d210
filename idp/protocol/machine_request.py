"""A form posted by a machine, parsed once: RFC 6749 section 3.2, RFC 8707 section 2.

Parameters come in the body alone, each at most once (`resource` excepted). Authlib's own request
reads the query too and takes the first of several values.
"""

from collections.abc import Iterable, Mapping

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from idp.domain.audit import Origin
from idp.domain.clients import Client
from idp.protocol import faults
from idp.protocol.errors import invalid_request

FORM = "application/x-www-form-urlencoded"
_LONGEST_VALUE = 16 * 1024
MOST_PARAMETERS = 100
_SAFE = "https://localhost"
"""Authlib wants https; that the request came to our address is checked in web/security.py."""


class MachineRequest(OAuth2Request):
    """What Authlib's endpoints and ours read. `resources` are the values of `resource`, `sender` is
    the client that sent it, once that is proven, `named` the id it gave to prove that.
    """

    def __init__(
        self,
        path: str,
        headers: Mapping[str, str],
        values: dict[str, str],
        resources: tuple[str, ...],
        origin: Origin,
    ) -> None:
        super().__init__("POST", _SAFE + path, headers=headers)
        self.sent_headers = headers
        self.payload = BasicOAuth2Payload(values)
        self.values = values
        self.resources = resources
        self.origin = origin
        self.sender: Client | None = None
        self.named = ""

    @property
    def args(self) -> dict[str, str | None]:
        """Nothing: the query is never read."""
        return {}

    @property
    def form(self) -> dict[str, str]:
        """The parameters, one value each."""
        return self.values

    def required(self, name: str) -> str:
        """Return a parameter. Raises MachineError when it is missing."""
        value = self.values.get(name)
        if value is None:
            raise invalid_request(f"{name} is missing.", faults.parameter(name))
        return value


def machine(request: OAuth2Request) -> MachineRequest:
    """Return the request as what it is: Authlib hands ours on under its own type."""
    if not isinstance(request, MachineRequest):
        raise TypeError("only requests parsed here are answered")
    return request


def single_values(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the parameters, one value each, and the resources. Raises MachineError.

    An empty value counts as absent (RFC 6749 section 3.2).
    """
    values: dict[str, str] = {}
    resources: list[str] = []
    seen: set[str] = set()
    for name, value in pairs:
        if name == "resource":
            resources += filter(None, (value,))
        elif name in seen:
            raise invalid_request("A parameter is repeated.", faults.parameter(name))
        elif value:
            values[name] = value
        seen.add(name)
        if len(value) > _LONGEST_VALUE or len(seen) + len(resources) > MOST_PARAMETERS:
            raise invalid_request("There is too much of it.")
    return values, tuple(resources)
