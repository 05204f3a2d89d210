"""Who keeps a passkey, as far as its AAGUID says (W3C Web Authentication Level 3 section 6.5.1).

Nothing is decided by it: without attestation an AAGUID is only what the authenticator says.
"""

import json
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Provider:
    """A name to show, and the `kind` that chooses the picture: `phone`, `computer`, `key`,
    `manager`, or `passkey` where the provider is not known and the name is empty.
    """

    name: str
    kind: str


UNKNOWN = Provider("", "passkey")
_TEXT = (resources.files("idp.domain.credentials") / "aaguids.json").read_text("utf-8")
PROVIDERS = {aaguid: Provider(**values) for aaguid, values in json.loads(_TEXT).items()}
"""By AAGUID in lower case."""


def provider_of(aaguid: str) -> Provider:
    """Return the provider that uses this AAGUID, UNKNOWN for any other."""
    return PROVIDERS.get(aaguid, UNKNOWN)
