"""SECURITY groups E and F at the endpoints: tokens that are not what they seem, and lost keys.

`tests/keys/test_jwt.py` shows the same of the one function that verifies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from idp.config import Settings
from idp.domain.services import Services
from tests.abuse import forgeries
from tests.abuse.answers import assert_error, tokens, works
from tests.keys import forging
from tests.support import in_process
from tests.support.application import running
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.refusals import Refused
from tests.support.seeds import OPERATOR, ORIGIN
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of, header_of


@pytest.fixture
def issued(webapp: TokenClient, browserless: Browserless) -> dict[str, Any]:
    """Tokens of Ada's."""
    return webapp.sign_in(browserless, "openid offline_access")


class Endpoints:
    """Presents something as a token everywhere, where it has to be refused."""

    def __init__(self, webapp: TokenClient, browser: Browserless, refused: Refused) -> None:
        self._webapp = webapp
        self._browser = browser
        self._refused = refused

    def refuse_access(self, token: str) -> None:
        """No access token: userinfo says so, introspection too, and revocation does nothing."""
        with self._refused("userinfo", times=2):
            header = {"Authorization": b"Bearer " + token.encode("utf-8", "surrogateescape")}
            where = self._webapp.discovery["userinfo_endpoint"]
            answer = self._webapp.http.get(where, headers=header)
            assert_error(answer, 401, "invalid_token")
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
            answer = self._webapp.http.post(where, data={"access_token": self._readable(token)})
            assert answer.status_code == 401 or len(token) > 16_384
            if answer.status_code != 401:
                self._webapp.userinfo("x")  # the second entry
        with self._unchanged():
            assert self._introspected(token) in ({"active": False}, None)
            self._webapp.revoke(self._readable(token))

    def refuse_hint(self, token: str) -> None:
        """No `id_token_hint`, neither when asking for a code nor when signing out."""
        if len(token) < 100_000:
            with self._refused("authorization.refused", times=1):
                page = self._browser.start(self._webapp.authorization(id_token_hint=token))
            assert page.callback["error"] == "invalid_request"
            with self._refused("logout.refused", times=1):
                page = self._browser.get("/oauth2/logout", {"id_token_hint": token})
            assert (page.status, page.left_for) == (400, None)

    def _introspected(self, token: str) -> Any:
        answer = self._webapp.introspect(self._readable(token))
        return answer.json() if answer.status_code == 200 else None

    @contextmanager
    def _unchanged(self) -> Iterator[None]:
        with self._refused("userinfo", times=1):
            yield
            self._webapp.userinfo("x")

    @staticmethod
    def _readable(token: str) -> str:
        return token.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@pytest.fixture
def everywhere(webapp: TokenClient, browserless: Browserless, refused: Refused) -> Endpoints:
    """Presents tokens at all endpoints."""
    return Endpoints(webapp, browserless, refused)


def test_case_049_none_signs_nothing(issued: dict[str, Any], everywhere: Endpoints) -> None:
    for token in forgeries.unsigned(issued["access_token"]).values():
        everywhere.refuse_access(token)
    for token in forgeries.unsigned(issued["id_token"]).values():
        everywhere.refuse_hint(token)


@pytest.mark.settings(network_limit=1000)
def test_case_050_our_public_key_is_no_secret(
    issued: dict[str, Any], everywhere: Endpoints, webapp: TokenClient
) -> None:
    jwks = webapp.http.get(webapp.discovery["jwks_uri"]).json()
    for key in forgeries.public_keys(jwks).values():
        for kind, refuse in (
            ("access_token", everywhere.refuse_access),
            ("id_token", everywhere.refuse_hint),
        ):
            token = issued[kind]
            header = {**header_of(token), "alg": "HS256"}
            refuse(forging.by_hmac(header, claims_of(token), key))


def test_case_052_extensions_are_refused_even_when_we_signed(
    issued: dict[str, Any], everywhere: Endpoints, services: Services
) -> None:
    for token in forgeries.extended(services, issued["access_token"]).values():
        everywhere.refuse_access(token)
    for token in forgeries.extended(services, issued["id_token"]).values():
        everywhere.refuse_hint(token)


def test_case_053_an_id_token_is_no_access_token(
    issued: dict[str, Any], everywhere: Endpoints, webapp: TokenClient, refused: Refused
) -> None:
    everywhere.refuse_access(issued["id_token"])
    with refused("token.refused", times=1):
        assert_error(webapp.refresh(issued["id_token"]), 400, "invalid_grant")


def test_case_053_an_id_token_by_the_same_key_is_no_access_token(
    register: Register, browserless: Browserless, everywhere: Endpoints
) -> None:
    client = register("es256", id_token_signed_response_alg="ES256")
    both = client.sign_in(browserless)
    kids = {header_of(both[name])["kid"] for name in ("id_token", "access_token")}
    assert len(kids) == 1
    everywhere.refuse_access(both["id_token"])


def test_case_053_an_access_token_is_no_hint(issued: dict[str, Any], everywhere: Endpoints) -> None:
    everywhere.refuse_hint(issued["access_token"])
    everywhere.refuse_hint(issued["refresh_token"])


def test_case_053_a_hint_of_another_client_is_refused(
    webapp: TokenClient,
    deployment: Deployment,
    browserless: Browserless,
    refused: Refused,
) -> None:
    foreign = deployment.client("own").sign_in(browserless)["id_token"]
    with refused("authorization.refused", times=1):
        page = browserless.start(webapp.authorization(id_token_hint=foreign))
    assert page.callback["error"] == "invalid_request"


def test_case_053_a_refresh_token_is_no_access_token(
    issued: dict[str, Any], webapp: TokenClient, refused: Refused
) -> None:
    with refused("userinfo", times=1):
        assert_error(webapp.userinfo(issued["refresh_token"]), 401, "invalid_token")


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "at+jwt+x", "application/JWT", ""])
def test_case_053_another_type_is_refused_even_when_we_signed(
    typ: str, issued: dict[str, Any], everywhere: Endpoints, services: Services
) -> None:
    claims = claims_of(issued["access_token"])
    everywhere.refuse_access(services.signing_keys.active("ES256").sign(claims, typ))


@pytest.mark.parametrize(
    "changes", [{"iss": "https://evil.example.test"}, {"iss": None}, {"exp": 0}, {"exp": 1}]
)
def test_claims_of_others_are_refused_even_when_we_signed(
    changes: dict[str, Any], issued: dict[str, Any], everywhere: Endpoints, services: Services
) -> None:
    claims = claims_of(issued["access_token"]) | changes
    everywhere.refuse_access(services.signing_keys.active("ES256").sign(claims, "at+jwt"))


def test_case_054_monsters_are_refused_before_they_cost(
    issued: dict[str, Any], everywhere: Endpoints
) -> None:
    for token in forgeries.monsters(issued["access_token"]).values():
        everywhere.refuse_access(token)


def test_case_054_monsters_are_no_hints(issued: dict[str, Any], everywhere: Endpoints) -> None:
    for name, token in forgeries.monsters(issued["id_token"]).items():
        if name != "surrogates":  # no address carries them
            everywhere.refuse_hint(token)


def test_case_054_two_megabytes_do_not_get_in(webapp: TokenClient) -> None:
    for answer in (webapp.introspect("a" * 2_000_000), webapp.revoke("a" * 2_000_000)):
        assert_error(answer, 413, "invalid_request")


def test_deep_claims_that_we_signed_are_an_error_and_no_crash(
    issued: dict[str, Any], everywhere: Endpoints, services: Services
) -> None:
    header = header_of(issued["access_token"])
    for claims in (b"[" * 5_000, b'{"a":' * 1_500, b"null", b"[]", b"1", b'"x"', b"\xff", b""):
        everywhere.refuse_access(forgeries.signed_by_us(services, "ES256", header, claims))


# Keys


def rotate_for_good(services: Services, clock: HeldClock) -> None:
    """Let the next keys sign, once verifiers may know them."""
    clock.advance(8 * 3600)
    services.signing_keys.rotate(origin=ORIGIN, actor=OPERATOR)


@pytest.mark.settings(session_idle_lifetime=86400 * 60, session_absolute_lifetime=86400 * 60)
def test_case_057_a_token_signed_just_before_a_rotation_is_good_to_its_end(
    webapp: TokenClient, browserless: Browserless, services: Services, clock: HeldClock
) -> None:
    webapp.sign_in(browserless)
    clock.advance(8 * 3600)
    before = webapp.sign_in(browserless)
    services.signing_keys.rotate(origin=ORIGIN, actor=OPERATOR)
    after = webapp.sign_in(browserless)
    kids = [header_of(each["access_token"])["kid"] for each in (before, after)]
    assert kids[0] != kids[1]
    clock.advance(599)
    services.housekeeping.run_once()
    assert works(webapp, before["access_token"])
    clock.advance(1)
    assert not works(webapp, before["access_token"])
    # The old key goes once nothing that it signed is left; it still says whom a hint means.
    clock.advance(3600)
    services.housekeeping.run_once()
    published = webapp.http.get(webapp.discovery["jwks_uri"]).json()["keys"]
    assert kids[0] not in {key["kid"] for key in published}
    page = browserless.start(webapp.authorization(id_token_hint=before["id_token"]))
    assert "code" in page.callback


@pytest.mark.parametrize("how", ["rotate", "retire"])
def test_case_058_a_withdrawn_key_makes_its_tokens_worthless_at_once(
    how: str,
    issued: dict[str, Any],
    everywhere: Endpoints,
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
) -> None:
    assert works(webapp, issued["access_token"])
    if how == "rotate":
        services.signing_keys.rotate(emergency=True, origin=ORIGIN, actor=OPERATOR)
    else:
        for name in ("access_token", "id_token"):
            kid = header_of(issued[name])["kid"]
            services.signing_keys.retire(kid, emergency=True, origin=ORIGIN, actor=OPERATOR)
    everywhere.refuse_access(issued["access_token"])
    everywhere.refuse_hint(issued["id_token"])
    # The authorization stands: only what the key signed is worthless.
    fresh = tokens(webapp.refresh(issued["refresh_token"]))
    assert works(webapp, fresh["access_token"])
    assert "code" in browserless.start(
        webapp.authorization(id_token_hint=fresh["id_token"])
    ).callback | browserless.authorize(webapp.authorization())


def test_case_058_another_node_refuses_within_five_seconds(
    issued: dict[str, Any],
    webapp: TokenClient,
    services: Services,
    settings: Settings,
    clock: HeldClock,
) -> None:
    with running(settings, clock) as other:
        elsewhere = in_process.session(other, settings.issuer)
        here, webapp.http = webapp.http, elsewhere
        assert works(webapp, issued["access_token"])
        services.signing_keys.rotate(emergency=True, origin=ORIGIN, actor=OPERATOR)
        clock.advance(5)
        assert not works(webapp, issued["access_token"])
        webapp.http = here
        assert not works(webapp, issued["access_token"])
