"""Response types and modes: OAuth 2.0 Multiple Response Type Encoding Practices, OAuth 2.0 Form
Post Response Mode, OpenID Connect Core sections 3.2 and 3.3.
"""

from typing import Any
from urllib.parse import urlsplit

import pytest

from idp.domain.services import Services
from idp.protocol import registration
from idp.protocol.metadata_values import RegistrationError
from idp.protocol.offer import Offer
from tests.protocol.test_signing_algorithms import half
from tests.support.browserless import Browserless, Page
from tests.support.more_clients import Register, change
from tests.support.refusals import Refused, entries
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

EVERY = [
    "code",
    *(f"{code}{rest}" for code in ("", "code ") for rest in ("id_token", "id_token token")),
]
EVERY.append("code token")
ON = pytest.mark.settings(front_channel_tokens=True)


@pytest.fixture
def hybrid(register: Register) -> TokenClient:
    """A client that may have everything."""
    return register(
        "hybrid",
        grant_types=["authorization_code", "implicit", "refresh_token"],
        response_types=EVERY,
    )


def answered(page: Page) -> tuple[str, dict[str, str]]:
    """Return in which way a client is answered, and what it is told."""
    if page.left_for is None:
        form = page.form
        assert form.method == "POST"
        return "form_post", dict(form.values())
    parts = urlsplit(page.left_for)
    assert not (parts.query and parts.fragment)
    return ("fragment" if parts.fragment else "query"), page.callback


def reached(browser: Browserless, sent: dict[str, str]) -> tuple[str, dict[str, str]]:
    page = browser.start(sent)
    while page.left_for is None and "data-hand-over" not in page.response.text:
        page = browser.answer(page)
    return answered(page)


@ON
def test_every_type_in_every_mode(hybrid: TokenClient, browserless: Browserless) -> None:
    document = hybrid.discovery
    assert sorted(document["response_types_supported"]) == sorted(EVERY)
    assert document["response_modes_supported"] == ["query", "fragment", "form_post"]
    assert "implicit" in document["grant_types_supported"]
    for response_type in EVERY:
        words = set(response_type.split())
        usual = "query" if words == {"code"} else "fragment"
        for asked in (None, "query", "fragment", "form_post"):
            sent = hybrid.authorization("openid email", response_type=response_type)
            sent |= {"response_mode": asked} if asked else {}
            mode, told = reached(browserless, sent)
            assert (told["state"], told["iss"]) == (sent["state"], document.issuer)
            if asked == "query" != usual:
                # Servers log queries (Multiple Response Types section 5).
                assert (mode, told["error"]) == ("fragment", "invalid_request")
                continue
            assert mode == (asked or usual)
            check(hybrid, response_type, sent, told)


def check(
    client: TokenClient, response_type: str, sent: dict[str, str], told: dict[str, str]
) -> None:
    """What is there is what was asked for, and belongs together (sections 3.2.2.9, 3.3.2.11)."""
    words = set(response_type.split())
    assert ("code" in told, "access_token" in told) == ("code" in words, "token" in words)
    if "token" in words:
        assert told["token_type"] == "Bearer"
        assert int(told["expires_in"]) == 300
        assert "refresh_token" not in told
        userinfo = client.userinfo(told["access_token"]).json()
        assert userinfo["email"] == "ada@example.test"
    assert ("id_token" in told) == ("id_token" in words)
    if "id_token" in words:
        claims = claims_of(told["id_token"])
        assert claims["nonce"] == sent["nonce"]
        hashed = {"at_hash": told.get("access_token"), "c_hash": told.get("code")}
        for name, value in (hashed | {"s_hash": sent["state"]}).items():
            assert claims.get(name) == (half(value, "RS256") if value else None), name
        # Who never gets an access token can't ask userinfo (section 5.4).
        assert ("email" in claims) == (words == {"id_token"})
    if "code" in words:
        again = client.redeem(told).json()
        later = claims_of(again["id_token"])
        assert later["nonce"] == sent["nonce"]
        if "id_token" in words:
            first = claims_of(told["id_token"])
            same = ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid")
            assert [first.get(name) for name in same] == [later.get(name) for name in same]


@ON
def test_case_020_a_code_used_twice_ends_what_came_with_it(
    hybrid: TokenClient, browserless: Browserless
) -> None:
    _, told = reached(browserless, hybrid.authorization(response_type="code id_token token"))
    issued = hybrid.redeem(told).json()
    for token in (told["access_token"], issued["access_token"]):
        assert hybrid.active(token)
    assert hybrid.redeem(told).status_code == 400
    for token in (told["access_token"], issued["access_token"]):
        assert not hybrid.active(token)


@ON
def test_errors_go_the_way_of_the_answer(
    hybrid: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    def error(**changes: Any) -> tuple[str, str]:
        mode, told = answered(browserless.start(hybrid.authorization(**changes)))
        assert told["iss"] == hybrid.discovery.issuer
        return mode, told["error"]

    both, code = "id_token token", "code"
    with refused("authorization.refused", times=4):
        assert error(response_type=both, nonce=None) == ("fragment", "invalid_request")
        assert error(response_type=both, scope="notes:read") == ("fragment", "invalid_scope")
        assert error(response_type="token") == ("fragment", "unsupported_response_type")
        assert error(response_type="code code") == ("query", "unsupported_response_type")
    for mode in ("form_post", "fragment", "query"):
        asked = error(response_type=code, response_mode=mode, prompt="none")
        assert asked == (mode, "login_required")
    assert error(response_type=both, prompt="none") == ("fragment", "login_required")
    with refused("authorization.refused", times=1):
        assert error(response_mode="web_message") == ("query", "invalid_request")


@ON
def test_who_says_no_to_a_form_is_told_the_same_when_asking_again(
    hybrid: TokenClient, browserless: Browserless
) -> None:
    browserless.allows = False
    sent = hybrid.authorization("openid email", response_mode="form_post")
    page = browserless.start(sent)
    while "data-hand-over" not in page.response.text:
        page = browserless.answer(page)
    assert page.form.action == hybrid.redirect_uri
    assert answered(page)[1]["error"] == "access_denied"
    assert answered(browserless.get(page.url)) == answered(page)


@ON
def test_the_page_of_a_form_runs_nothing_inline_and_is_kept_nowhere(
    hybrid: TokenClient, browserless: Browserless
) -> None:
    sent = hybrid.authorization("openid", response_type="id_token", response_mode="form_post")
    page = browserless.start(sent | {"state": '"><script>alert(1)</script>'})
    while "data-hand-over" not in page.response.text:
        page = browserless.answer(page)
    headers = page.response.headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    # Chromium would stop a client that leads on from its callback (UX rule 1).
    assert "form-action" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "strict-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "<script>" not in page.response.text
    assert "onload" not in page.response.text
    assert answered(page)[1]["state"] == '"><script>alert(1)</script>'
    # A second look within a minute finds the same answer, and nothing new was issued.
    assert answered(browserless.get(page.url)) == answered(page)


@ON
def test_an_access_token_of_the_browser_is_written_down_with_its_authorization(
    hybrid: TokenClient, browserless: Browserless, services: Services
) -> None:
    _, told = reached(browserless, hybrid.authorization(response_type="id_token token"))
    jti = claims_of(told["access_token"])["jti"]
    written = entries(services.store)
    issued = [entry for entry in written if jti in str(entry)]
    assert len(issued) == 1
    assert "implicit" in str(issued[0])


@ON
def test_implicit_has_no_offline_access(hybrid: TokenClient, browserless: Browserless) -> None:
    sent = hybrid.authorization("openid offline_access", response_type="id_token token")
    _, told = reached(browserless, sent)
    assert told["scope"] == "openid"


@ON
def test_case_036_a_client_gets_only_the_types_that_it_registered(
    register: Register,
    webapp: TokenClient,
    browserless: Browserless,
    refused: Refused,
    services: Services,
) -> None:
    narrow = register("narrow", grant_types=["implicit"], response_types=["id_token"])
    without = register("without")
    change(services, "without", grant_types=["refresh_token"])
    for client, response_type in (
        (webapp, "id_token"),
        (without, "code"),
        (narrow, "code"),
        (narrow, "id_token token"),
    ):
        with refused("authorization.refused", times=1):
            page = browserless.start(client.authorization(response_type=response_type))
        assert answered(page)[1]["error"] == "unauthorized_client"


@ON
def test_group_b_every_type_with_a_code_needs_pkce(
    hybrid: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    """RFC 9700 section 2.1.1: a code is a code, whatever comes with it."""
    for response_type in EVERY:
        changes: dict[str, Any] = {"code_challenge": None, "code_challenge_method": None}
        sent = hybrid.authorization("openid", response_type=response_type, **changes)
        if "code" not in response_type:
            assert browserless.start(sent).left_for is None
            continue
        with refused("authorization.refused", times=1):
            page = browserless.start(sent)
        assert answered(page)[1]["error"] == "invalid_request"


def test_case_036_by_itself_the_server_gives_codes_alone(
    webapp: TokenClient, browserless: Browserless, refused: Refused
) -> None:
    assert webapp.discovery["response_types_supported"] == ["code"]
    assert "implicit" not in webapp.discovery["grant_types_supported"]
    for response_type in EVERY[1:]:
        with refused("authorization.refused", times=1):
            page = browserless.start(webapp.authorization(response_type=response_type))
        assert answered(page)[1]["error"] == "unsupported_response_type"
    with pytest.raises(RegistrationError, match="'implicit' is not supported"):
        registration.validate(metadata(), operator=True)


def metadata(**changes: Any) -> dict[str, Any]:
    return {
        "redirect_uris": ["https://app.example.test/cb"],
        "grant_types": ["implicit", "authorization_code"],
        "response_types": ["token id_token code"],
        **changes,
    }


def test_registration_of_types_and_grants() -> None:
    offer = Offer(("RS256", "ES256", "none"), front_channel=True)

    def registered(**changes: Any) -> dict[str, Any]:
        return registration.validate(metadata(**changes), operator=True, offer=offer)

    assert registered()["response_types"] == ["code id_token token"]
    wrongs: tuple[dict[str, Any], ...] = (
        {"response_types": ["token"]},
        {"response_types": ["code code"]},
        {"response_types": ["id_token"]},
        {"response_types": ["code"]},
        {"grant_types": ["implicit"]},
        {"grant_types": ["authorization_code"]},
        {"grant_types": ["implicit", "refresh_token"], "response_types": ["id_token"]},
        {"id_token_signed_response_alg": "none"},
        {"redirect_uris": []},
        {"redirect_uris": ["http://127.0.0.1/cb"]},
        {"redirect_uris": ["https://localhost/cb"]},
    )
    for wrong in wrongs:
        with pytest.raises(RegistrationError):
            registered(**wrong)
    unsigned = registered(
        grant_types=["authorization_code", "implicit"],
        response_types=["code token"],
        id_token_signed_response_alg="none",
    )
    assert unsigned["id_token_signed_response_alg"] == "none"
