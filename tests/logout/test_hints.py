"""OpenID Connect RP-Initiated Logout 1.0 section 2: which session a request means."""

from tests.support.browserless import Browserless
from tests.support.token_client import TokenClient

LOGOUT = "/oauth2/logout"


def test_a_hint_of_an_earlier_session_is_taken_but_signs_nobody_out_unasked(
    browserless: Browserless, webapp: TokenClient
) -> None:
    """The person MUST be asked when the ID token does not belong to the current session."""
    hint = webapp.sign_in(browserless)["id_token"]
    assert browserless.get(LOGOUT, {"id_token_hint": hint}).title.startswith("Signed out")
    assert browserless.get(LOGOUT, {"id_token_hint": hint}).title.startswith("Signed out")
    fresh = webapp.sign_in(browserless)["id_token"]
    page = browserless.get(LOGOUT, {"id_token_hint": hint})
    assert page.title.startswith("Sign out"), page
    assert page.form.button("decision", "sign_out")
    assert browserless.get("/").title.startswith("Your account")
    assert browserless.get(LOGOUT, {"id_token_hint": fresh}).title.startswith("Signed out")
