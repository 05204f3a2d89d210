"""How each value that discovery names is used: a request that works by it, and by nothing else."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.app import logout_delivery_of
from idp.domain.services import Services
from tests.registration.registrar import Registrar
from tests.support import full_profile
from tests.support.browserless import STEPS, Browserless, Page, Person
from tests.support.factors import factors, type_code, use_passkey
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.seeds import GRACE
from tests.support.tls_site import Site, say
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

SCOPE = "openid profile email address phone groups offline_access notes:read"
GRANTS = ["authorization_code", "refresh_token", "client_credentials"]
Keep = Callable[["Here", Any], None]


@dataclass
class Here:
    """One server, somebody at a browser, and new clients as they are needed."""

    services: Services
    app: Flask
    browser: Browserless
    register: Register
    registrar: Registrar
    site: Site
    clock: HeldClock
    named: dict[str, Any]
    """The document."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def client(self, **metadata: Any) -> TokenClient:
        """Register a client of its own."""
        usual = {"grant_types": GRANTS, "scope": SCOPE}
        return self.register(f"client-{next(self._numbers)}", **{**usual, **metadata})

    def someone(self, person: Person) -> None:
        """Put another person before a browser in which nobody is signed in."""
        if self.browser.person is not person:
            self.browser.http.cookies.clear()
            self.browser.person = person

    def answered(
        self, client: TokenClient, scope: str = "openid", **changes: str | None
    ) -> dict[str, str]:
        """Return what the client is sent through the browser."""
        found = self.browser.authorize(client.authorization(scope, **changes))
        assert "error" not in found, found
        return found

    def issued(
        self, client: TokenClient, scope: str = "openid", **changes: str | None
    ) -> dict[str, Any]:
        """Return what the client gets for a code."""
        answer = client.redeem(self.answered(client, scope, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def page(self, address: str, **parameters: str) -> Page:
        """Open a page of the server."""
        return self.browser.get(address, parameters)


def _issuer(here: Here, value: str) -> None:
    assert claims_of(here.issued(here.client())["id_token"])["iss"] == value


def _authorization_endpoint(here: Here, value: str) -> None:
    client = here.client()
    assert "code" in here.browser.finish(here.page(value, **client.authorization())).callback


def _token_endpoint(here: Here, value: str) -> None:
    client = here.client(token_endpoint_auth_method="client_secret_post")
    form = {"client_id": client.client_id, "client_secret": client.client_secret}
    form |= {"grant_type": "client_credentials", "scope": "notes:read"}
    assert client.http.post(value, data=form).json()["access_token"]


def _userinfo_endpoint(here: Here, value: str) -> None:
    client = here.client()
    token = here.issued(client)["access_token"]
    answer = client.http.get(value, headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["sub"]


def _jwks_uri(here: Here, value: str) -> None:
    client = here.client()
    keys = KeySet.import_key_set(client.http.get(value).json())
    assert jwt.decode(here.issued(client)["id_token"], keys, algorithms=["RS256"]).claims["sub"]


def _introspection_endpoint(here: Here, value: str) -> None:
    client = here.client()
    assert client.discovery["introspection_endpoint"] == value
    assert client.active(here.issued(client)["access_token"])


def _revocation_endpoint(here: Here, value: str) -> None:
    client = here.client()
    assert client.discovery["revocation_endpoint"] == value
    token = here.issued(client)["access_token"]
    assert client.revoke(token).status_code == 200
    assert not client.active(token)


def _end_session_endpoint(here: Here, value: str) -> None:
    client = here.client()
    hint = here.issued(client)["id_token"]
    assert here.page(value, id_token_hint=hint).title.startswith("Signed out")
    silent = here.browser.start(client.authorization(prompt="none")).callback
    assert silent["error"] == "login_required"


def _check_session_iframe(here: Here, value: str) -> None:
    answer = here.browser.http.get(value)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


def _registration_endpoint(here: Here, value: str) -> None:
    assert here.registrar.endpoint == value
    client = here.registrar.client(here.registrar.registered())
    assert here.issued(client)["access_token"]


ENDPOINTS: dict[str, Keep] = {
    "issuer": _issuer,
    "authorization_endpoint": _authorization_endpoint,
    "token_endpoint": _token_endpoint,
    "userinfo_endpoint": _userinfo_endpoint,
    "jwks_uri": _jwks_uri,
    "introspection_endpoint": _introspection_endpoint,
    "revocation_endpoint": _revocation_endpoint,
    "end_session_endpoint": _end_session_endpoint,
    "check_session_iframe": _check_session_iframe,
    "registration_endpoint": _registration_endpoint,
}


def _scope(here: Here, value: str) -> None:
    scope = " ".join(dict.fromkeys(("openid", value)))
    issued = here.issued(here.client(), scope=scope, prompt="consent")
    assert issued.get("scope", scope).split() == scope.split()
    assert ("refresh_token" in issued) or value != "offline_access"


def _response_type(here: Here, value: str) -> None:
    words = set(value.split())
    grants = {"code": "authorization_code"}
    wanted = {grants.get(word, "implicit") for word in words}
    client = here.client(response_types=[value], grant_types=sorted(wanted))
    found = here.answered(client, response_type=value)
    assert {"code", "id_token", "access_token"} & found.keys() == {
        {"token": "access_token"}.get(word, word) for word in words
    }


def _response_mode(here: Here, value: str) -> None:
    client = here.client()
    page = here.browser.finish(here.browser.start(client.authorization(response_mode=value)))
    parts = urlsplit(page.left_for or "")
    places = {"query": parts.query, "fragment": parts.fragment, "form_post": page.handed_over}
    assert [name for name, place in places.items() if place] == [value]
    assert client.redeem(page.callback).status_code == 200


def _grant_type(here: Here, value: str) -> None:
    client = here.client()
    uses: dict[str, Callable[[], Any]] = {
        "authorization_code": lambda: here.issued(client),
        "refresh_token": lambda: client.refresh(here.issued(client)["refresh_token"]).json(),
        "client_credentials": lambda: client.credentials(scope="notes:read").json(),
        "implicit": lambda: here.answered(
            here.client(response_types=["id_token token"], grant_types=["implicit"]),
            response_type="id_token token",
        ),
    }
    assert uses[value]()["access_token"]


def _code_challenge_method(here: Here, value: str) -> None:
    client = here.client(require_pkce=True)
    sent = client.authorization()
    assert sent["code_challenge_method"] == value
    assert client.redeem(here.browser.authorize(sent)).status_code == 200
    wrong = client.redeem(here.answered(client), code_verifier="w" * 43)
    assert wrong.json()["error"] == "invalid_grant"


def _prompt(here: Here, value: str) -> None:
    client = here.client()
    here.issued(client)
    page = here.browser.start(client.authorization(prompt=value))
    assert page.left == (value == "none")
    assert "error" not in (page.callback if page.left else {})
    if value in {"login", "consent"}:
        assert client.redeem(here.browser.finish(page).callback).status_code == 200


def _language(here: Here, value: str) -> None:
    page = here.browser.start(here.client().authorization(ui_locales=value, prompt="login"))
    assert f'<html lang="{value}"' in page.response.text


def _issuer_in_answers(here: Here, value: bool) -> None:
    assert value
    assert here.answered(here.client())["iss"] == here.named["issuer"]


REQUESTS: dict[str, Keep] = {
    "scopes_supported": _scope,
    "response_types_supported": _response_type,
    "response_modes_supported": _response_mode,
    "grant_types_supported": _grant_type,
    "code_challenge_methods_supported": _code_challenge_method,
    "prompt_values_supported": _prompt,
    "ui_locales_supported": _language,
    "authorization_response_iss_parameter_supported": _issuer_in_answers,
}


def _subject_type(here: Here, value: str) -> None:
    first, second = (here.client(subject_type=value) for _ in range(2))
    subjects = {claims_of(here.issued(client)["id_token"])["sub"] for client in (first, second)}
    # Each client of `register` has a host of its own, so sectors differ.
    assert len(subjects) == {"public": 1, "pairwise": 2}[value]


def _claim(here: Here, value: str) -> None:
    here.someone(full_profile.KUSUMOTO)
    wanted = {place: {value: None} for place in ("id_token", "userinfo")}
    client = here.client(scope=SCOPE)
    issued = here.issued(client, scope="openid groups", claims=json.dumps(wanted))
    told = claims_of(issued["id_token"]) | client.userinfo(issued["access_token"]).json()
    assert value in told


def _claims_parameter(here: Here, value: bool) -> None:
    assert value
    _claim(here, "nickname")


def _claim_type(here: Here, value: str) -> None:
    assert value == "normal"
    token = here.issued(here.client(), scope="openid email")["access_token"]
    assert not {"_claim_names", "_claim_sources"} & here.client().userinfo(token).json().keys()


def _acr(here: Here, value: str) -> None:
    here.someone(GRACE)
    mine = factors(here.services, here.clock, GRACE.email)
    if value != here.named["acr_values_supported"][0]:
        mine = mine.with_app().with_passkey()
    client = here.client()
    wanted = {"id_token": {"acr": {"essential": True, "value": value}}}
    page = here.browser.start(client.authorization(claims=json.dumps(wanted)))
    for _ in range(STEPS):
        if page.left:
            break
        if "/second-step" in page.url and "phishing" not in value:
            page = type_code(here.browser, page, mine.next_code())
        elif "passkey" in page.url:
            page = use_passkey(here.browser, page, mine)
        else:
            page = here.browser.answer(page)
    assert claims_of(client.redeem(page.callback).json()["id_token"])["acr"] == value


PEOPLE: dict[str, Keep] = {
    "subject_types_supported": _subject_type,
    "claims_parameter_supported": _claims_parameter,
    "claims_supported": _claim,
    "claim_types_supported": _claim_type,
    "acr_values_supported": _acr,
}


def _told_behind(here: Here, value: bool) -> None:
    assert value
    here.site.answers["/told"] = lambda handler: say(handler, 200, {"Content-Length": "0"})
    client = here.client(
        backchannel_logout_uri=here.site.url("/told"), backchannel_logout_session_required=True
    )
    hint = here.issued(client)["id_token"]
    here.page(here.named["end_session_endpoint"], id_token_hint=hint)
    logout_delivery_of(here.app).run_once()
    token = parse_qs(here.site.asked[-1].body.decode())["logout_token"][0]
    assert claims_of(token)["sid"] == claims_of(hint)["sid"]


def _told_in_front(here: Here, value: bool) -> None:
    assert value
    client = here.client()
    address = f"https://{urlsplit(client.redirect_uri).hostname}/told"
    client = here.client(
        redirect_uris=[client.redirect_uri],
        frontchannel_logout_uri=address,
        frontchannel_logout_session_required=True,
    )
    hint = here.issued(client)["id_token"]
    page = here.page(here.named["end_session_endpoint"], id_token_hint=hint)
    assert f"{address}?" in page.response.text
    assert claims_of(hint)["sid"] in page.response.text


LOGOUT: dict[str, Keep] = {
    "backchannel_logout_supported": _told_behind,
    "backchannel_logout_session_supported": _told_behind,
    "frontchannel_logout_supported": _told_in_front,
    "frontchannel_logout_session_supported": _told_in_front,
}
