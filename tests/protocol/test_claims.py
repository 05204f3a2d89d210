"""Claims, by scope and one by one: OpenID Connect Core sections 5.1 to 5.5."""

import json
from typing import Any

import pytest

from idp.domain.services import Services
from tests.protocol.conftest import Compare
from tests.support import full_profile
from tests.support.browserless import Browserless, Page
from tests.support.more_clients import Register, change
from tests.support.seeds import GRACE, ORIGIN
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

USUAL = ("iss", "aud", "iat", "exp", "auth_time", "acr", "amr", "at_hash", "nonce", "sid", "sub")
EVERY_SCOPE = "openid profile email address phone groups offline_access"
SETS: dict[str, dict[str, Any]] = {
    "openid": {},
    "profile": {"scope": "openid profile"},
    "email": {"scope": "openid email"},
    "address": {"scope": "openid address"},
    "phone": {"scope": "openid phone"},
    "groups": {"scope": "openid groups"},
    "every_scope": {"scope": EVERY_SCOPE},
    "both_places": {
        "claims": {
            "userinfo": {
                "given_name": {"essential": True},
                "nickname": None,
                "email": {"essential": True},
                "email_verified": {"essential": True},
                "picture": None,
                "http://example.info/claims/groups": None,
            },
            "id_token": {
                "gender": None,
                "birthdate": {"essential": True},
                "auth_time": {"essential": True},
                "acr": {"values": ["urn:mace:incommon:iap:silver"]},
            },
        }
    },
    "everything_in_the_id_token": {
        "claims": {
            "id_token": dict.fromkeys(
                [
                    *(name for name in full_profile.PROFILE if "#" not in name),
                    *("name", "email", "email_verified", "updated_at", "groups"),
                ]
            )
        }
    },
    "with_a_scope": {
        "scope": "openid email",
        "claims": {"userinfo": {"address": {}}, "id_token": {"email": None, "name": None}},
    },
    "values": {
        "claims": {
            "userinfo": {
                "given_name": {"value": "Ine"},
                "family_name": {"value": "Shiebold"},
                "gender": {"values": ["male", "female"]},
                "zoneinfo": {"essential": True, "values": ["Europe/Berlin"]},
                "email_verified": {"value": True},
                "phone_number_verified": {"value": 0},
                "nickname": {"value": None},
                "address": {"value": {"country": "Japan"}},
            }
        }
    },
    "value_of_what_a_scope_tells": {
        "scope": "openid email",
        "claims": {
            "userinfo": {"email": {"value": "x@y"}},
            "id_token": {"email": {"value": "x@y"}},
        },
    },
    "language_tags": {
        "claims": {
            "userinfo": {
                "family_name#ja-Kana-JP": None,
                "given_name#JA-hani-jp": None,
                "family_name#ja": None,
                "website#de-CH": None,
                "website#en": None,
                "name#fr": None,
                "birthdate#ja": None,
            },
            "id_token": {"family_name#ja-Hani-JP": {"essential": True}},
        }
    },
    "one_locale": {"scope": "openid profile", "claims_locales": "ja-Hani-JP"},
    "several_locales": {"scope": "openid profile", "claims_locales": "de ja-Kana-JP en fr x_y"},
    "locale_of_single_claims": {
        "claims_locales": "ja-Kana",
        "claims": {"id_token": {"name": None, "family_name": None, "given_name": None}},
    },
}


@pytest.fixture
def clinic(register: Register, services: Services, browserless: Browserless) -> TokenClient:
    """A client that may ask for everything; whoever is at the browser has a full profile."""
    browserless.person = full_profile.add(services)
    return register("clinic", scope=EVERY_SCOPE)


def asking(client: TokenClient, scope: str = "openid", **more: Any) -> dict[str, str]:
    """Return an authorization request, with `claims` as JSON."""
    if "claims" in more:
        more["claims"] = json.dumps(more["claims"])
    return client.authorization(scope, **more)


def told(client: TokenClient, issued: dict[str, Any]) -> dict[str, Any]:
    """Return what a client is told of a person in both places."""
    in_token = claims_of(issued["id_token"])
    userinfo = client.userinfo(issued["access_token"]).json()
    assert userinfo.pop("sub") == in_token["sub"]
    return {
        "userinfo": userinfo,
        "id_token": {name: value for name, value in in_token.items() if name not in USUAL},
    }


def test_every_set_of_claims(
    clinic: TokenClient, browserless: Browserless, golden: Compare
) -> None:
    for name, asked in SETS.items():
        issued = clinic.redeem(browserless.authorize(asking(clinic, **asked))).json()
        golden(f"claims_{name}", {"asked": asked, "told": told(clinic, issued)})


def test_the_id_token_of_who_registered_so_has_both(
    register: Register, clinic: TokenClient, browserless: Browserless
) -> None:
    client = register("both", scope=EVERY_SCOPE, claims_in_id_token=True)
    asked = asking(client, "openid email", claims={"id_token": {"nickname": None}})
    issued = client.redeem(browserless.authorize(asked)).json()
    found = told(client, issued)["id_token"]
    assert found == {"email": "ine@example.test", "email_verified": True, "nickname": "Oranda Oine"}


def test_a_refresh_tells_the_same_until_the_client_may_not_ask_any_more(
    clinic: TokenClient, browserless: Browserless, services: Services
) -> None:
    claims = {"id_token": {"groups": None, "nickname": None}, "userinfo": {"email": None}}
    asked = asking(clinic, "openid offline_access", claims=claims)
    issued = clinic.redeem(browserless.authorize(asked)).json()
    before = told(clinic, issued)
    assert before["id_token"] == {"groups": ["doctors"], "nickname": "Oranda Oine"}
    issued = clinic.refresh(issued["refresh_token"]).json()
    assert told(clinic, issued) == before
    change(services, "clinic", scope="openid profile offline_access")
    services.clients._recent.forget()
    issued = clinic.refresh(issued["refresh_token"]).json()
    assert told(clinic, issued) == {"userinfo": {}, "id_token": {"nickname": "Oranda Oine"}}


def test_what_a_client_is_not_registered_for_it_does_not_get_and_nobody_is_asked(
    register: Register, clinic: TokenClient, browserless: Browserless
) -> None:
    client = register("modest", scope="openid email")
    claims = {"id_token": {"birthdate": {"essential": True}}, "userinfo": {"phone_number": None}}
    page = to_consent(browserless, asking(client, claims=claims))
    assert "date of birth" not in page.text
    assert "phone number" not in page.text
    issued = client.redeem(browserless.finish(page).callback).json()
    assert told(client, issued) == {"userinfo": {}, "id_token": {}}


def to_consent(browser: Browserless, asked: dict[str, str]) -> Page:
    """Sign in as far as the consent page."""
    page = browser.start(asked)
    while page.left_for is None and not page.title.startswith("Allow access"):
        page = browser.answer(page)
    return page


def test_the_person_allows_each_claim_as_its_scope(
    clinic: TokenClient, browserless: Browserless
) -> None:
    claims = {"userinfo": {"birthdate": None, "name#ja": None}, "id_token": {"email": None}}
    page = to_consent(browserless, asking(clinic, claims=claims))
    for line in ("See your date of birth", "See your name", "See your email address"):
        assert line in page.text
    assert "See your name and picture" not in page.text
    # With prompt=none, what was not allowed is not told.
    none = browserless.start(asking(clinic, claims=claims, prompt="none"))
    assert none.callback["error"] == "consent_required"
    assert "code" in browserless.finish(page).callback
    # It is remembered: only what is new is asked.
    assert "code" in browserless.start(asking(clinic, claims=claims, prompt="none")).callback
    page = to_consent(browserless, asking(clinic, claims=claims | {"id_token": {"gender": None}}))
    assert "See your gender" in page.text.split("What you allowed before")[0]
    assert "See your date of birth" not in page.text.split("What you allowed before")[0]
    assert "code" in browserless.finish(page).callback
    # A scope covers its claims, not the reverse.
    page = to_consent(browserless, asking(clinic, "openid profile", claims=claims))
    assert "See your name and picture" in page.text.split("What you allowed before")[0]
    assert "code" in browserless.finish(page).callback
    other = {"id_token": {"zoneinfo": None}}
    assert "code" in browserless.start(asking(clinic, claims=other, prompt="none")).callback


def test_without_the_permission_nothing_is_told(
    clinic: TokenClient, browserless: Browserless
) -> None:
    browserless.allows = False
    answer = browserless.authorize(asking(clinic, claims={"id_token": {"email": None}}))
    assert answer["error"] == "access_denied"


def test_the_account_and_its_copy_name_single_claims(
    clinic: TokenClient, browserless: Browserless, services: Services
) -> None:
    claims = {"userinfo": {"birthdate": None}, "id_token": {"email": None}}
    browserless.authorize(asking(clinic, "openid email", claims=claims))
    page = browserless.get("/account/applications")
    assert "See your date of birth" in page.text
    assert page.text.count("See your email address") == 1
    account = services.accounts.get(full_profile.KUSUMOTO.email)
    (connected,) = services.own.connections.of(account.id)
    assert "claim birthdate" in connected.scopes
    services.own.connections.remove(account.id, "clinic", ORIGIN)
    assert browserless.start(asking(clinic, claims=claims, prompt="none")).callback["error"]


def test_sub_with_a_value_is_who_signs_in_or_nobody(
    clinic: TokenClient, browserless: Browserless, services: Services
) -> None:
    issued = clinic.sign_in(browserless, "openid")
    ine = claims_of(issued["id_token"])["sub"]
    grace = services.accounts.get(GRACE.email).subject
    for place in ("id_token", "userinfo"):
        for wish in ({"value": ine}, {"values": [grace, ine]}):
            asked = asking(clinic, claims={place: {"sub": wish}}, prompt="none")
            assert "code" in browserless.start(asked).callback
        for wish in ({"value": grace}, {"values": [grace]}, {"value": "nobody"}, {"value": 7}):
            asked = asking(clinic, claims={place: {"sub": wish}}, prompt="none")
            assert browserless.start(asked).callback["error"] == "login_required"
    both = {"id_token": {"sub": {"value": ine}}, "userinfo": {"sub": {"values": [grace]}}}
    assert browserless.start(asking(clinic, claims=both)).callback["error"] == "login_required"
    asked = asking(clinic, claims={"id_token": {"sub": {"value": grace}}})
    hinted = browserless.start(asked | {"id_token_hint": issued["id_token"]})
    assert hinted.callback["error"] == "login_required"
    # Whoever else signs in, nobody gets a code but her.
    page = browserless.start(asked)
    assert page.left_for is None
    browserless.person = GRACE
    while "password" not in page.title.lower() and page.left_for is None:
        page = browserless.answer(page)
    found = clinic.redeem(browserless.finish(page).callback).json()
    assert claims_of(found["id_token"])["sub"] == grace


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap", "hologram"])
def test_wishes_about_display_and_language_are_never_an_error(
    display: str, webapp: TokenClient, browserless: Browserless
) -> None:
    asked = webapp.authorization(
        display=display,
        ui_locales="tlh x_y",
        claims_locales="tlh !! " + "a" * 4000,
        login_hint="nobody at all",
        acr_values="urn:nothing",
    )
    assert "code" in browserless.authorize(asked)


def test_discovery_names_the_parameter_and_every_claim(webapp: TokenClient) -> None:
    assert webapp.discovery["claims_parameter_supported"] is True
    one_by_one = {*full_profile.PROFILE, "name", "email", "email_verified", "updated_at"}
    named = set(webapp.discovery["claims_supported"])
    assert {name for name in one_by_one if "#" not in name} <= named
