"""Back-Channel Logout 1.0 section 2.4: logout tokens are signed and encrypted as ID tokens are."""

from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from idp.domain.logout_delivery import PAUSES, LogoutDelivery
from idp.domain.services import Services
from tests.logout.conftest import Told
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register, change
from tests.support.signed import public

URI = "https://app.example.test/logged-out"
KEY = ECKey.generate_key("P-256", {"kid": "theirs"})


def test_logout_tokens_by_secret_and_encrypted(
    register: Register,
    browserless: Browserless,
    services: Services,
    delivery: LogoutDelivery,
    told: Told,
    clock: HeldClock,
) -> None:
    usual = {"backchannel_logout_uri": URI, "first_party": True}
    keyed = register("keyed", id_token_signed_response_alg="HS256", **usual)
    sealed = register(
        "sealed", jwks=public(KEY), id_token_encrypted_response_alg="ECDH-ES+A256KW", **usual
    )
    for client in (keyed, sealed):
        client.sign_in(browserless)
    browserless.submit(browserless.get("/"))
    change(services, "sealed", jwks={"keys": []})
    services.clients.forget()
    assert delivery.run_once() == 2
    [(_, token)] = told.posts
    secret = OctKey.import_key(keyed.client_secret)
    found = jwt.decode(token, secret, algorithms=["HS256"])
    assert found.header == {"alg": "HS256", "typ": "logout+jwt"}
    assert found.claims["aud"] == "keyed"
    assert browserless.get("/oauth2/logout", {"id_token_hint": token}).status == 400
    # Without a key nothing is sent that others could read; with one it is told later.
    change(services, "sealed", jwks=public(KEY))
    clock.advance(PAUSES[0])
    assert delivery.run_once() == 1
    registry = jwe.JWERegistry(
        algorithms=["ECDH-ES+A256KW", "A128CBC-HS256"], strict_check_header=False
    )
    outside = jwe.decrypt_compact(told.posts[1][1], KEY, registry=registry)
    header = outside.headers()
    assert (header["cty"], header["iss"]) == ("JWT", keyed.discovery.issuer)
    keys = KeySet.import_key_set(keyed.http.get(keyed.discovery["jwks_uri"]).json())
    inside = jwt.decode((outside.plaintext or b"").decode(), keys, algorithms=["RS256"])
    assert (inside.header["typ"], inside.claims["aud"]) == ("logout+jwt", "sealed")
