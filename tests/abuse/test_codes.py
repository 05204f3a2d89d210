"""SECURITY group B: PKCE and the authorization code."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlencode

import pytest

from idp.domain.services import Services
from tests.abuse.answers import assert_error, callback, tokens, works
from tests.support.browserless import Browserless
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register, change
from tests.support.raw_requests import RawRequests
from tests.support.refusals import Refused, entries
from tests.support.seeds import ADA, FILES_API, NOTES_API, OPERATOR, ORIGIN, redirect_uri
from tests.support.token_client import Changes, TokenClient, basic, challenge

OTHER_VERIFIER = "a" * 43


@pytest.fixture
def optional(register: Register) -> TokenClient:
    """A confidential client that may do without PKCE."""
    return register("optional", require_pkce=False)


WRONG_VERIFIERS: dict[str, Callable[[str], str | None]] = {
    "none": lambda _: None,
    "empty": lambda _: "",
    "another": lambda _: OTHER_VERIFIER,
    "the challenge itself": challenge,
    "one letter less": lambda verifier: verifier[:-1],
    "padded": lambda verifier: verifier + "=",
    "with NUL": lambda verifier: verifier + "\0",
    "with a line's end": lambda verifier: verifier + "\n",
    "in capitals": str.upper,
    "too long": lambda verifier: verifier * 3,
}


@pytest.mark.parametrize("name", ["webapp", "spa"])
def test_case_016_a_code_with_a_challenge_needs_its_verifier(
    name: str, deployment: Deployment, browserless: Browserless, refused: Refused
) -> None:
    client = deployment.client(name)
    for wrong in WRONG_VERIFIERS.values():
        found = callback(client, browserless)
        verifier = client.verifiers[found["state"]]
        # The code is burnt: whoever holds it has no second try.
        with refused("code.refused", changes=["one_time"], times=1) as told:
            answer = client.redeem(found, code_verifier=wrong(verifier))
        assert_error(answer, 400, "invalid_grant")
        assert told[0]["detail"]["reason"] == "PKCE"
    with refused("code.refused", changes=["authorizations"], times=1) as told:
        answer = client.redeem(found)
    assert_error(answer, 400, "invalid_grant")
    reasons = {entry["detail"].get("reason") for entry in told}
    assert "used before" in reasons


@pytest.mark.parametrize("verifier", [OTHER_VERIFIER, "x"])
def test_case_017_a_verifier_without_a_challenge_is_a_downgrade(
    verifier: str, optional: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    found = callback(optional, browserless, code_challenge=None, code_challenge_method=None)
    with refused("code.refused", changes=["one_time"], times=1) as told:
        answer = optional.redeem(found, code_verifier=verifier)
    assert_error(answer, 400, "invalid_grant")
    assert told[0]["detail"]["reason"] == "PKCE"


def test_case_017_a_client_that_may_do_without_is_held_to_what_it_began(
    optional: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    bare = callback(optional, browserless, code_challenge=None, code_challenge_method=None)
    tokens(optional.redeem(bare, code_verifier=None))
    with_pkce = callback(optional, browserless)
    with refused("code.refused", changes=["one_time"], times=1):
        answer = optional.redeem(with_pkce, code_verifier=None)
    assert_error(answer, 400, "invalid_grant")
    tokens(optional.redeem(callback(optional, browserless)))


def test_case_017_a_client_that_has_to_meanwhile_is_refused(
    optional: TokenClient,
    browserless: Browserless,
    services: Services,
    clock: HeldClock,
    refused: Refused,
) -> None:
    found = callback(optional, browserless, code_challenge=None, code_challenge_method=None)
    change(services, "optional", require_pkce=True)
    clock.advance(5)
    with refused("code.refused", changes=["one_time"], times=1) as told:
        answer = optional.redeem(found, code_verifier=None)
    assert_error(answer, 400, "invalid_grant")
    assert told[0]["detail"]["reason"] == "no PKCE"


DOWNGRADES: dict[str, dict[str, Changes]] = {
    "plain": {"code_challenge_method": "plain"},
    "no method": {"code_challenge_method": None},
    "empty method": {"code_challenge_method": ""},
    "other case": {"code_challenge_method": "s256"},
    "no challenge": {"code_challenge": None},
    "neither": {"code_challenge": None, "code_challenge_method": None},
    "empty challenge": {"code_challenge": ""},
    "short challenge": {"code_challenge": "a" * 42},
    "padded challenge": {"code_challenge": "a" * 43 + "="},
    "challenge in base64": {"code_challenge": "a" * 42 + "+"},
}


@pytest.mark.parametrize("name", ["webapp", "spa"])
def test_case_018_only_s256_is_taken(
    name: str, deployment: Deployment, browserless: Browserless, refused: Refused
) -> None:
    client = deployment.client(name)
    for how, downgrade in DOWNGRADES.items():
        asked = client.authorization("openid", **downgrade)
        with refused("authorization.refused", times=1):
            page = browserless.start(asked)
        assert (page.status, page.callback["error"]) == (303, "invalid_request"), how
        assert page.callback["state"] == asked["state"]
        assert page.callback["iss"] == deployment.issuer
        assert "code" not in page.callback


def test_case_018_only_s256_is_advertised(webapp: TokenClient) -> None:
    assert webapp.discovery["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.parametrize("seconds", [1, 30, 59, 60, 3600, 80_000])
def test_case_020_a_second_redemption_fails_and_ends_what_the_first_gave(
    seconds: int,
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
    clock: HeldClock,
    refused: Refused,
) -> None:
    found = callback(webapp, browserless, "openid offline_access")
    first = tokens(webapp.redeem(found))
    assert works(webapp, first["access_token"])
    clock.advance(seconds)
    services.housekeeping.run_once()
    with refused("code.refused", changes=["authorizations"], times=1) as told:
        answer = webapp.redeem(found)
    assert_error(answer, 400, "invalid_grant")
    assert {entry["event"] for entry in told} == {"code.refused", "authorization.revoked"}
    assert not works(webapp, first["access_token"])
    assert not webapp.active(first["refresh_token"])
    with refused("refresh.refused", times=1):
        assert_error(webapp.refresh(first["refresh_token"]), 400, "invalid_grant")


def test_case_020_a_replay_by_another_client_ends_it_too(
    webapp: TokenClient, spa: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    found = callback(webapp, browserless)
    first = tokens(webapp.redeem(found))
    with refused("code.refused", changes=["authorizations"], times=1) as told:
        answer = spa.redeem(found, code_verifier=webapp.verifiers[found["state"]])
    assert_error(answer, 400, "invalid_grant")
    assert [entry["actor"] for entry in told if entry["event"] == "code.refused"] == ["client:spa"]
    assert not works(webapp, first["access_token"])


def test_case_020_a_third_redemption_is_refused_and_changes_nothing(
    webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    found = callback(webapp, browserless)
    tokens(webapp.redeem(found))
    webapp.redeem(found)
    with refused("code.refused", times=1):
        assert_error(webapp.redeem(found), 400, "invalid_grant")


def test_case_020_another_authorization_of_the_same_person_goes_on(
    webapp: TokenClient, browserless: Browserless
) -> None:
    other = webapp.sign_in(browserless, "openid offline_access")
    found = callback(webapp, browserless, "openid offline_access")
    first = tokens(webapp.redeem(found))
    assert_error(webapp.redeem(found), 400, "invalid_grant")
    assert not works(webapp, first["access_token"])
    assert works(webapp, other["access_token"])
    tokens(webapp.refresh(other["refresh_token"]))


def test_case_021_of_fifty_parallel_redemptions_one_wins(
    webapp: TokenClient, browserless: Browserless, raw: RawRequests, services: Services
) -> None:
    found = callback(webapp, browserless, "openid offline_access")
    form = {
        "grant_type": "authorization_code",
        "code": found["code"],
        "redirect_uri": webapp.redirect_uri,
        "code_verifier": webapp.verifiers[found["state"]],
    }
    body = urlencode(form).encode()
    header = basic(webapp.client_id, webapp.client_secret)
    together = Barrier(50)

    def redeem(_: int) -> tuple[int, dict[str, str]]:
        together.wait()
        answer = raw.post("/oauth2/token", body, Authorization=header)
        return answer.status, answer.json

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(redeem, range(50)))
    won = [answer for status, answer in answers if status == 200]
    lost = [answer["error"] for status, answer in answers if status == 400]
    assert len(won) == 1
    assert lost == ["invalid_grant"] * 49
    told = [(entry["event"], entry["outcome"]) for entry in entries(services.store)]
    assert told.count(("token.issued", "done")) == 1
    assert told.count(("code.refused", "refused")) == 49
    assert told.count(("authorization.revoked", "done")) == 1
    # A code that comes twice was stolen: what the winner got ends as well.
    assert not works(webapp, won[0]["access_token"])
    assert not webapp.active(won[0]["refresh_token"])


@pytest.mark.parametrize(
    ("owner", "thief"), [("webapp", "stranger"), ("webapp", "spa"), ("spa", "webapp")]
)
def test_case_022_a_code_of_another_client_is_burnt(
    owner: str,
    thief: str,
    deployment: Deployment,
    browserless: Browserless,
    refused: Refused,
) -> None:
    client = deployment.client(owner)
    found = callback(client, browserless)
    with refused("code.refused", changes=["one_time"], times=1) as told:
        answer = deployment.client(thief).redeem(
            found,
            code_verifier=client.verifiers[found["state"]],
            redirect_uri=redirect_uri(owner),
        )
    assert_error(answer, 400, "invalid_grant")
    assert told[0]["actor"] == f"client:{thief}"
    assert told[0]["client_id"] == thief
    assert told[0]["detail"]["reason"] == "another client's"
    with refused("code.refused", changes=["authorizations"], times=1):
        assert_error(client.redeem(found), 400, "invalid_grant")


def test_case_022_who_is_not_a_client_burns_nothing(
    webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    found = callback(webapp, browserless)
    secret, webapp.client_secret = webapp.client_secret, "dw_secret_wrong"
    with refused("client.authentication", times=1):
        assert_error(webapp.redeem(found), 401, "invalid_client")
    webapp.client_secret = secret
    tokens(webapp.redeem(found))


def test_case_022_a_client_that_is_disabled_meanwhile_is_refused(
    webapp: TokenClient, browserless: Browserless, services: Services, refused: Refused
) -> None:
    found = callback(webapp, browserless)
    services.clients.disable("webapp", origin=ORIGIN, actor=OPERATOR)
    with refused("client.authentication", times=1) as told:
        assert_error(webapp.redeem(found), 401, "invalid_client")
    assert told[0]["detail"]["reason"] == "disabled"


OTHER_REDIRECT_URIS = (
    None,
    "",
    "https://two.example.test/other",
    "https://two.example.test/callback/",
    "https://two.example.test/callback?x=1",
    "https://evil.example.test/callback",
    "https://two.example.test/callback\0",
)


def test_a_redirect_uri_that_was_sent_is_sent_again(
    register: Register, browserless: Browserless, refused: Refused
) -> None:
    uris = ["https://two.example.test/callback", "https://two.example.test/other"]
    client = register("two", redirect_uris=uris)
    for sent in OTHER_REDIRECT_URIS:
        found = callback(client, browserless)
        with refused("code.refused", changes=["one_time"], times=1) as told:
            answer = client.redeem(found, redirect_uri=sent)
        assert_error(answer, 400, "invalid_grant")
        assert told[0]["detail"]["reason"] == "another redirect_uri"


def test_a_redirect_uri_that_was_not_sent_need_not_be(
    webapp: TokenClient, browserless: Browserless
) -> None:
    for sent in (None, "", "https://app.example.test/callback"):
        found = callback(webapp, browserless, "notes:read", redirect_uri=None)
        assert tokens(webapp.redeem(found, redirect_uri=sent))["scope"] == "notes:read"


def test_a_redirect_uri_that_was_not_sent_is_the_registered_one(
    webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    found = callback(webapp, browserless, "notes:read", redirect_uri=None)
    with refused("code.refused", changes=["one_time"], times=1):
        answer = webapp.redeem(found, redirect_uri="https://evil.example.test/callback")
    assert_error(answer, 400, "invalid_grant")


def test_a_loopback_port_is_bound_to_the_code(
    deployment: Deployment, browserless: Browserless, refused: Refused
) -> None:
    native = deployment.client("native")
    native.redirect_uri = "http://127.0.0.1:50001/callback"
    tokens(native.redeem(callback(native, browserless)))
    found = callback(native, browserless)
    with refused("code.refused", changes=["one_time"], times=1):
        answer = native.redeem(found, redirect_uri="http://127.0.0.1:50002/callback")
    assert_error(answer, 400, "invalid_grant")


def test_a_code_lives_to_its_last_second(
    webapp: TokenClient, browserless: Browserless, clock: HeldClock, refused: Refused
) -> None:
    first, second = callback(webapp, browserless), callback(webapp, browserless)
    clock.advance(59.9)
    tokens(webapp.redeem(first))
    clock.advance(0.1)
    with refused("code.refused", times=1) as told:
        assert_error(webapp.redeem(second), 400, "invalid_grant")
    assert told[0]["detail"]["reason"] == "expired"


# RFC 8707: the resource of a code


@pytest.mark.parametrize("authorized", [None, "", NOTES_API])
def test_a_token_is_for_the_resource_that_was_authorized(
    authorized: str | None, webapp: TokenClient, browserless: Browserless
) -> None:
    for sent in (None, "", NOTES_API):
        found = callback(webapp, browserless, "openid notes:read", resource=authorized)
        access = tokens(webapp.redeem(found, resource=sent))["access_token"]
        assert webapp.introspect(access).json()["aud"] == [NOTES_API, webapp.discovery.issuer]


OTHER_RESOURCES = (FILES_API, f"{NOTES_API}/", "https://unknown.example.test", "nonsense", "\0")


@pytest.mark.parametrize("authorized", [None, NOTES_API])
def test_a_token_for_another_resource_is_refused_and_the_code_stays(
    authorized: str | None, webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    found = callback(webapp, browserless, "openid notes:read", resource=authorized)
    for sent in OTHER_RESOURCES:
        with refused("token.refused", times=1) as told:
            answer = webapp.redeem(found, resource=sent)
        assert_error(answer, 400, "invalid_target")
        assert told[0]["actor"] == "client:webapp"
    tokens(webapp.redeem(found))


def test_a_resource_that_nobody_was_asked_about_is_refused(
    webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    found = callback(webapp, browserless, "openid")
    with refused("token.refused", times=1):
        answer = webapp.redeem(found, resource=NOTES_API)
    assert_error(answer, 400, "invalid_target")


def test_a_token_for_two_resources_is_refused(
    webapp: TokenClient, browserless: Browserless, raw: RawRequests, refused: Refused
) -> None:
    found = callback(webapp, browserless, "openid notes:read")
    form = [
        ("grant_type", "authorization_code"),
        ("code", found["code"]),
        ("redirect_uri", webapp.redirect_uri),
        ("code_verifier", webapp.verifiers[found["state"]]),
        ("resource", NOTES_API),
        ("resource", NOTES_API),
    ]
    header = basic(webapp.client_id, webapp.client_secret)
    with refused("token.refused", times=1):
        answer = raw.post("/oauth2/token", urlencode(form).encode(), Authorization=header)
    assert (answer.status, answer.json["error"]) == (400, "invalid_target")


# What is presented as a code


def test_case_024_no_other_secret_is_a_code_and_a_code_is_no_other(
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
    deployment: Deployment,
    refused: Refused,
) -> None:
    handle = browserless.start(webapp.authorization()).url.split("/")[4]
    issued = webapp.sign_in(browserless, "openid offline_access")
    cookie = next(iter(browserless.http.cookies)).value or ""
    link = services.administrators.issue_link(ORIGIN, OPERATOR)
    others = {
        "interaction": handle,
        "refresh token": issued["refresh_token"],
        "access token": issued["access_token"],
        "ID token": issued["id_token"],
        "session": cookie,
        "client secret": webapp.client_secret,
        "link": link,
    }
    for name, secret in others.items():
        with refused("token.refused", times=1) as told:
            answer = webapp.redeem({"code": str(secret)}, code_verifier=OTHER_VERIFIER)
        assert_error(answer, 400, "invalid_grant")
        assert told[0]["detail"]["error"] == "invalid_grant", name
        if name != "refresh token":
            with refused("token.refused", times=1):
                assert_error(webapp.refresh(str(secret)), 400, "invalid_grant")
    code = callback(webapp, browserless)["code"]
    with refused("token.refused", times=1):
        assert_error(webapp.refresh(code), 400, "invalid_grant")
    with refused("userinfo", times=1):
        assert_error(webapp.userinfo(code), 401, "invalid_token")
    assert webapp.introspect(code).json() == {"active": False}
    assert webapp.revoke(code).status_code == 200
    assert deployment.browserless().get(f"/interaction/{code}").status == 404
    assert deployment.browserless().get(f"/setup/administrator/{code}").status in {403, 404}


# Between code and token


def _disable(services: Services, _browser: Browserless) -> None:
    services.accounts.disable(ADA.email, ORIGIN, OPERATOR)


def _new_password(services: Services, _browser: Browserless) -> None:
    services.accounts.set_password(ADA.email, "quite another long password", ORIGIN, OPERATOR)


def _withdraw(services: Services, _browser: Browserless) -> None:
    account = services.accounts.get(ADA.email)
    services.consents.withdraw(account.id, "webapp", ORIGIN, OPERATOR)


def _sign_out(services: Services, browser: Browserless) -> None:
    cookie = next(iter(browser.http.cookies)).value or ""
    services.sessions.end(cookie, services.accounts.get(ADA.email).id, ORIGIN)


MEANWHILE = {
    "user disabled": _disable,
    "password changed": _new_password,
    "consent withdrawn": _withdraw,
    "signed out": _sign_out,
}


@pytest.mark.parametrize("scope", ["openid", "openid offline_access"])
@pytest.mark.parametrize("happens", MEANWHILE.values(), ids=MEANWHILE)
def test_case_026_what_ends_between_code_and_token_ends_the_code(
    happens: Callable[[Services, Browserless], None],
    scope: str,
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
    refused: Refused,
) -> None:
    found = callback(webapp, browserless, scope)
    happens(services, browserless)
    with refused("code.refused", changes=["one_time"], times=1) as told:
        answer = webapp.redeem(found)
    assert_error(answer, 400, "invalid_grant")
    assert told[0]["detail"]["reason"] == "authorization, account or session ended"
    assert not [entry for entry in entries(services.store) if entry["event"] == "token.issued"]


@pytest.mark.settings(session_idle_lifetime=60, session_absolute_lifetime=60)
def test_case_026_a_session_that_expires_with_the_second_ends_the_code(
    webapp: TokenClient, browserless: Browserless, clock: HeldClock, refused: Refused
) -> None:
    webapp.sign_in(browserless)
    clock.advance(30)
    found = callback(webapp, browserless)
    clock.advance(30)
    with refused("code.refused", changes=["one_time"], times=1):
        assert_error(webapp.redeem(found), 400, "invalid_grant")


def test_scopes_that_the_client_lost_meanwhile_are_not_in_the_token(
    webapp: TokenClient,
    browserless: Browserless,
    services: Services,
    clock: HeldClock,
    refused: Refused,
) -> None:
    found = callback(webapp, browserless, "openid notes:read email")
    lost = callback(webapp, browserless, "notes:read")
    change(services, "webapp", scope="email notes:write", default_resource=NOTES_API)
    clock.advance(5)
    issued = tokens(webapp.redeem(found))
    assert issued["scope"] == "email"
    assert "id_token" not in issued
    with refused("token.refused", times=1):
        assert_error(webapp.redeem(lost), 400, "invalid_scope")


def test_a_client_without_the_refresh_grant_gets_no_refresh_token(
    register: Register, browserless: Browserless, refused: Refused
) -> None:
    client = register("once", grant_types=["authorization_code"])
    issued = client.sign_in(browserless, "openid offline_access")
    assert "refresh_token" not in issued
    assert issued["scope"] == "openid"
    with refused("token.refused", times=1) as told:
        assert_error(client.refresh("x" * 43), 400, "unauthorized_client")
    assert told[0]["client_id"] == "once"
