"""SECURITY case 72: a request object is of the client that made it, whoever else presents it.

Whoever may register can name another client's address and another client's public key as its own.
"""

import pytest
import requests

from idp.config import Settings
from idp.domain.services import Services
from idp.outbound.fetching import Fetcher
from tests.abuse_browser.asking import ask, redirected, shown
from tests.keys import forging
from tests.protocol.test_request_objects import JWT, digest_of
from tests.support.more_clients import Register
from tests.support.refusals import Refused
from tests.support.signed import new_key, public, sign
from tests.support.tls_site import Site


@pytest.fixture
def site(services: Services, tls_site: Site) -> Site:
    """The client's own server, which this one may fetch from."""
    origin, authority = (tls_site.origin(),), str(tls_site.authority)
    values = {"outbound_origins": origin, "outbound_ca_file": authority}
    trusting = services.settings.model_copy(update=values)
    services.fetcher.__dict__.update(Fetcher(trusting).__dict__)
    return tls_site


def test_case_072_another_clients_request_object_is_refused(
    register: Register, site: Site, http: requests.Session, refused: Refused, settings: Settings
) -> None:
    key, address = new_key(), site.url("/r")
    victim = register("victim", jwks=public(key), request_uris=[address])
    stranger = register("other", jwks=public(new_key()), request_uris=[site.url("/other")])
    copying = register("copying", jwks=public(key), request_uris=[address])
    endpoint, inside = victim.discovery["authorization_endpoint"], victim.authorization("openid")
    object_of_victim = sign(inside, key)
    site.put("/r", object_of_victim, JWT)
    outside = {"response_type": "code", "scope": "openid"}
    another = "client_id is another inside"
    for client, sent, error, reason in (
        (stranger, {"request_uri": address}, "invalid_request_uri", "it is not registered"),
        (stranger, {"request": object_of_victim}, "invalid_request_object", "wrong signature"),
        (copying, {"request_uri": address}, "invalid_request_object", another),
        (copying, {"request": object_of_victim}, "invalid_request_object", another),
    ):
        named = {"client_id": client.client_id, "redirect_uri": client.redirect_uri}
        with refused("authorization.refused", times=1) as told:
            answer = ask(http, endpoint, {**outside, **named, **sent})
        assert redirected(answer, client.redirect_uri, settings.issuer)["error"] == error
        assert told[0]["detail"]["reason"].startswith(reason)
        # Nor does it lead to where the other one is.
        with refused("authorization.refused", times=1):
            answer = ask(http, endpoint, {**outside, "client_id": client.client_id, **sent})
        assert shown(answer) == error
    # Without a name inside it is whoever's keys it has, at their own address alone.
    del inside["client_id"]
    for token in (sign(inside, key), forging.unsigned({"alg": "none"}, inside)):
        site.put("/r", token, JWT)
        named = {"client_id": "copying", "request_uri": f"{address}#{digest_of(token)}"}
        with refused("authorization.refused", times=1):
            answer = ask(http, endpoint, {**outside, **named})
        assert shown(answer) == "invalid_request"
