"""Discovery promises what works: each value that it names is used in a request.

OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2. A member, or a value of one, that nobody
uses here fails.
"""

from pathlib import Path

import pytest
from flask import Flask

from idp.config import Settings
from idp.domain.services import Services
from tests.protocol import keeping, keeping_by_keys
from tests.protocol.keeping import Here, Keep
from tests.registration.registrar import Registrar
from tests.support import full_profile
from tests.support.application import Seeded, settings_for
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.discovery import PATH
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.tls_site import Site

TABLES = {
    "endpoints": keeping.ENDPOINTS,
    "requests": keeping.REQUESTS,
    "people": keeping.PEOPLE,
    "logout": keeping.LOGOUT,
    "signatures": keeping_by_keys.SIGNED,
    "clients": keeping_by_keys.CLIENTS,
    "request objects": keeping_by_keys.OBJECTS,
}
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")


@pytest.fixture
def settings(seeded: Seeded, tmp_path: Path, tls_site: Site) -> Settings:
    """Everything that an operator can allow."""
    return settings_for(
        seeded.database,
        tmp_path / "keys",
        registration="open",
        front_channel_tokens=True,
        signing_algorithms="RS256,ES256,PS256,ES384,EdDSA,HS256,none",
        outbound_origins=[tls_site.origin()],
        outbound_ca_file=str(tls_site.authority),
    )


@pytest.fixture
def here(
    app: Flask,
    services: Services,
    deployment: Deployment,
    browserless: Browserless,
    register: Register,
    tls_site: Site,
    clock: HeldClock,
) -> Here:
    full_profile.add(services)
    http = deployment.new_http()
    registrar = Registrar(http, deployment.issuer)
    named = http.get(deployment.issuer + PATH).json()
    return Here(services, app, browserless, register, registrar, tls_site, clock, named)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_each_value_that_is_named_works(table: dict[str, Keep], here: Here) -> None:
    for name, keep in table.items():
        named = here.named[name]
        for value in named if isinstance(named, list) else [named]:
            try:
                keep(here, value)
            except (AssertionError, LookupError) as error:
                error.add_note(f"discovery names {value!r} in {name}")
                raise


def test_every_member_is_used(here: Here) -> None:
    known = {name for table in TABLES.values() for name in table}
    assert here.named.keys() == known
