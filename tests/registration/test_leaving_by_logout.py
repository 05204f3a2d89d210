"""Signing out at clients that nobody here knows: RFC 9700 section 4.11.2."""

import pytest

from idp.domain.services import Services
from tests.registration.registrar import Registrar
from tests.support.browserless import Browserless

pytestmark = pytest.mark.settings(registration="open")
LOGOUT = "/oauth2/logout"
GOODBYE = "https://guide.example.test/bye"
HOME = "https://guide.example.test/home"


def test_a_link_to_a_sign_out_leads_nobody_to_a_client_that_registered_itself(
    registrar: Registrar, browserless: Browserless
) -> None:
    told = registrar.registered(post_logout_redirect_uris=[GOODBYE], client_uri=HOME)
    away = {"post_logout_redirect_uri": GOODBYE}
    # Its own maker has an ID token of it: that is no permission of whoever opens the link.
    hint = registrar.client(told).sign_in(browserless)["id_token"]
    browserless.get(LOGOUT, {"id_token_hint": hint})
    browserless.http.cookies.clear()
    for asked in ({"client_id": told["client_id"], **away}, {"id_token_hint": hint, **away}):
        page = browserless.get(LOGOUT, asked)
        assert page.left_for is None, page
        assert "Field Guide" in page.text
        assert page.form.button("decision", "sign_out")
        assert browserless.submit(page, page.form.button("decision", "stay")).left_for is None
    page = browserless.get("/signed-out", {"client_id": told["client_id"]})
    assert HOME not in page.response.text
    # Who says yes gets there.
    page = browserless.get(LOGOUT, {"client_id": told["client_id"], **away})
    left = browserless.submit(page, page.form.button("decision", "sign_out")).left_for
    assert left == GOODBYE


def test_a_client_gets_back_whom_it_signed_out(
    registrar: Registrar, browserless: Browserless, services: Services
) -> None:
    told = registrar.registered(post_logout_redirect_uris=[GOODBYE])
    hint = registrar.client(told).sign_in(browserless)["id_token"]
    for _ in range(2):
        page = browserless.get(LOGOUT, {"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE})
        assert page.left_for == GOODBYE


@pytest.mark.settings(registration="open", registration_trusted=True)
def test_where_everybody_is_trusted_nobody_is_asked(
    registrar: Registrar, browserless: Browserless
) -> None:
    told = registrar.registered(post_logout_redirect_uris=[GOODBYE], client_uri=HOME)
    asked = {"client_id": told["client_id"], "post_logout_redirect_uri": GOODBYE}
    assert browserless.get(LOGOUT, asked).left_for == GOODBYE
    page = browserless.get("/signed-out", {"client_id": told["client_id"]})
    assert HOME in page.response.text
