"""What discovery does not name is refused; test_discovery_promises.py uses what it names."""

import pytest

from tests.support.browserless import Browserless
from tests.support.token_client import TokenClient

RESPONSE_TYPES = {
    "code",
    "id_token",
    "token",
    "id_token token",
    "code id_token",
    "code token",
    "code id_token token",
}


def test_each_prompt_is_understood(webapp: TokenClient, browserless: Browserless) -> None:
    for prompt in webapp.discovery["prompt_values_supported"]:
        page = browserless.start(webapp.authorization(prompt=prompt))
        refused = {"none": "login_required"}.get(prompt)
        assert (page.callback["error"] if page.left_for else None) == refused, prompt
    unknown = browserless.start(webapp.authorization(prompt="unheard_of"))
    assert unknown.callback["error"] == "invalid_request"


def test_each_scope_is_granted(webapp: TokenClient, browserless: Browserless) -> None:
    every = set(webapp.discovery["scopes_supported"]) - {"groups"}  # which its client did not ask
    issued = webapp.sign_in(browserless, " ".join(sorted(every)), prompt="consent")
    assert set(issued.get("scope", "").split()) == every
    told = webapp.userinfo(issued["access_token"]).json()
    assert told.keys() <= set(webapp.discovery["claims_supported"])


@pytest.mark.parametrize("wanted", sorted(RESPONSE_TYPES))
def test_response_types_that_are_not_named_are_refused(
    webapp: TokenClient, browserless: Browserless, wanted: str
) -> None:
    """What is named, but not registered by this client, is refused as well."""
    page = browserless.start(webapp.authorization(response_type=wanted))
    if wanted == "code":
        assert wanted in webapp.discovery["response_types_supported"]
        assert page.left_for is None
    else:
        assert page.callback["error"] in {"unsupported_response_type", "unauthorized_client"}
