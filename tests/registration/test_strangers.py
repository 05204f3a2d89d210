"""How clients that nobody here registered are met: RFC 9700 section 4.11.2; what people are shown
of a client: OpenID Connect Registration section 2.
"""

from typing import Any
from urllib.parse import urljoin

import pytest

from idp.domain.services import Services
from tests.registration.conftest import InitialToken
from tests.registration.registrar import Registrar
from tests.support import seeds
from tests.support.browserless import Browserless
from tests.support.token_client import TokenClient

anybody = pytest.mark.settings(registration="open")
HOST = "guide.example.test"
DECLARED = "This name is self-declared by"
PAGES = {
    "client_uri": "https://guide.example.test",
    "policy_uri": "https://guide.example.test/privacy",
    "tos_uri": "https://guide.example.test/terms",
}


class Asking:
    """A browser that is sent to the authorization endpoint with requests that fail."""

    def __init__(self, browserless: Browserless, registrar: Registrar) -> None:
        self._http = browserless.http
        self._endpoint = f"{registrar.issuer}/oauth2/authorize"

    def get(self, client: TokenClient, **changes: Any) -> Any:
        """Ask, and return the first answer."""
        parameters = client.authorization("openid", **changes)
        return self._http.get(self._endpoint, params=parameters, allow_redirects=False)

    def page(self, client: TokenClient, **changes: Any) -> str:
        """Ask, and return the first page."""
        parameters = client.authorization("openid", **changes)
        return str(self._http.get(self._endpoint, params=parameters).text)

    def post(self, client: TokenClient, **changes: Any) -> Any:
        """Ask by a form of another site."""
        parameters = client.authorization("openid", **changes)
        return self._http.post(self._endpoint, data=parameters, allow_redirects=False)


@pytest.fixture
def asking(browserless: Browserless, registrar: Registrar) -> Asking:
    return Asking(browserless, registrar)


def is_sent(answer: Any, error: str) -> bool:
    """Whether the client is told of the error, at once."""
    assert answer.status_code in {303, 400}, answer.status_code
    location = answer.headers.get("Location", "")
    return location.startswith(f"https://{HOST}/") and f"error={error}" in location


@anybody
def test_nobody_is_sent_to_a_stranger_unasked(
    asking: Asking, registrar: Registrar, browserless: Browserless
) -> None:
    client = registrar.client(registrar.registered())
    wrong = {"code_challenge": None}
    answer = asking.get(client, **wrong)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    # The page names the destination, and whoever wants to goes there.
    assert f'<bdi dir="ltr">https://{HOST}</bdi>' in answer.text
    link = f'href="https://{HOST}/callback?error=invalid_request&amp;'
    assert link in answer.text
    assert not is_sent(asking.get(client, response_type="x"), "unsupported_response_type")
    # A request without pages never asks anybody.
    assert is_sent(asking.get(client, prompt="none"), "login_required")
    assert is_sent(asking.get(client, prompt="none", **wrong), "invalid_request")
    # Whoever is signed in was asked before.
    client.sign_in(browserless, "openid")
    assert is_sent(asking.get(client, **wrong), "invalid_request")


@anybody
def test_a_refusal_after_the_first_page_is_not_sent_unasked_either(
    asking: Asking, registrar: Registrar, services: Services, browserless: Browserless
) -> None:
    told = registrar.registered()
    client = registrar.client(told)
    interaction = urljoin(registrar.issuer, asking.post(client).headers["Location"])
    services.clients.disable(told["client_id"], origin=seeds.ORIGIN, actor=seeds.OPERATOR)
    answer = browserless.http.get(interaction, allow_redirects=False)
    assert answer.status_code == 400
    assert f'href="https://{HOST}/callback?error=unauthorized_client&amp;' in answer.text


def test_clients_of_the_operator_are_told_at_once(asking: Asking, webapp: TokenClient) -> None:
    answer = asking.get(webapp, code_challenge=None)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("https://app.example.test/callback?error=")


@pytest.mark.settings(registration="open", registration_trusted=True)
def test_the_operator_may_trust_everybody(asking: Asking, registrar: Registrar) -> None:
    client = registrar.client(registrar.registered())
    assert is_sent(asking.get(client, code_challenge=None), "invalid_request")


@pytest.mark.settings(registration="token")
def test_the_operator_may_vouch_for_who_has_a_token(
    asking: Asking, registrar: Registrar, initial_token: InitialToken
) -> None:
    for trusted in (True, False):
        registrar.initial_token = initial_token(trusted=trusted)
        client = registrar.client(registrar.registered())
        assert is_sent(asking.get(client, code_challenge=None), "invalid_request") is trusted
        assert (DECLARED in asking.page(client)) is not trusted


@anybody
def test_people_see_who_asks_and_on_what_terms(
    asking: Asking, registrar: Registrar, browserless: Browserless
) -> None:
    elsewhere = "https://second.example.test/callback"
    uris = [f"https://{HOST}/callback", elsewhere]
    client = registrar.client(registrar.registered(**PAGES, redirect_uris=uris))
    sign_in = asking.page(client)
    page = browserless.start(client.authorization("openid"))
    while page.form.button("decision", "allow") is None:
        page = browserless.answer(page)
    for text in (sign_in, page.response.text):
        assert "Field Guide" in text
        assert f'<bdi dir="ltr">{HOST}</bdi>' in text
        assert DECLARED in text
        for address in PAGES.values():
            assert f'href="{address}"' in text
    # What is named is where this answer goes, not where another one would.
    assert "second.example.test" in asking.page(client, redirect_uri=elsewhere)
