"""The error log of one's own application, and the developer's half of the error page."""

from collections.abc import Callable

import pytest
import requests

from idp.config import Settings
from idp.web.comparing import Piece, compared
from idp.web.fault_texts import EXPLAINED
from tests.abuse_browser.asking import AUTHORIZE, LOGOUT, ask
from tests.developer.conftest import CALLBACK, Developer
from tests.house import sources
from tests.support.browserless import Person
from tests.support.html_pages import parse
from tests.support.refusals import Refused
from tests.support.seeds import GRACE
from tests.support.token_client import TokenClient

Enter = Callable[[Person], Developer]

WRONG = f"{CALLBACK}/"
GUIDE = sources.ROOT / "docs/how-to/find-out-why-a-client-fails.md"


def test_case_136_a_developer_sees_the_errors_of_their_own_applications_alone(
    developer: Developer,
    enter: Enter,
    http: requests.Session,
    settings: Settings,
    refused: Refused,
) -> None:
    own = developer.register()
    client = own.client()
    log = f"{own.path}/errors"
    assert log in developer.get(own.path).document.links.values()
    assert "Nothing was refused in the last seven days." in developer.get(log).text
    asked = client.authorization(redirect_uri=WRONG)
    for _ in range(2):
        ask(http, settings.issuer + AUTHORIZE, asked)
    client.refresh("made-up")
    page = developer.get(log)
    for words in (
        "The redirect URI is not registered for this client.",
        "only by a trailing slash.",
        "2 × since",
        "sender unproven",
        "The refresh token is none that this client was given.",
        "Read about this error",
    ):
        assert words in page.text, page.text
    assert f"{CALLBACK}<mark>/</mark>" in page.response.text
    assert asked["state"] not in page.response.text
    grace = enter(GRACE)
    for path in (log, "/developer/nobody/errors"):
        with refused("access.refused", times=1):
            assert grace.get(path).status == 404


def test_what_is_registered_is_shown_to_who_looks_after_the_client_alone(
    developer: Developer, enter: Enter, http: requests.Session, settings: Settings
) -> None:
    own = developer.register()
    asked = own.client().authorization(redirect_uri=WRONG)
    page = developer.browser.get(AUTHORIZE, asked)
    assert page.status == 400
    assert f"{CALLBACK}<mark>/</mark>" in page.response.text
    assert "only by a trailing slash" in page.text
    assert f"{own.path}/errors" in page.document.links.values()
    grace = enter(GRACE).browser.get(AUTHORIZE, asked)
    for found in (ask(http, settings.issuer + AUTHORIZE, asked), grace.response):
        assert found.status_code == 400
        assert "trailing slash" not in found.text
        assert f"{CALLBACK}<" not in found.text
        assert f"{own.path}/errors" not in found.text
        text = parse(found.text).text
        assert f"received: {WRONG}" in text
        assert found.headers["X-Request-Id"] in text
        assert "in its error log" in text
        assert "/help/errors#redirect-uri" in found.text


@pytest.mark.settings(development=True)
def test_in_development_everybody_is_told_the_difference_in_words(
    webapp: TokenClient, http: requests.Session, settings: Settings
) -> None:
    there = {"client_id": "webapp", "post_logout_redirect_uri": "https://app.example.test/Bye"}
    found = ask(http, settings.issuer + LOGOUT, there)
    assert "only by upper and lower case of the path" in parse(found.text).text
    assert "https://app.example.test/bye" not in found.text


def test_hostile_values_are_text(developer: Developer) -> None:
    own = developer.register()
    for hostile in ("https://a.test/<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'):
        page = developer.browser.get(AUTHORIZE, own.client().authorization(redirect_uri=hostile))
        assert page.status == 400
        for text in (page.response.text, developer.get(f"{own.path}/errors").response.text):
            assert "<script>alert" not in text
            assert "<img src=x" not in text


def test_every_kind_is_explained_on_the_help_page_and_in_the_guide(
    http: requests.Session, settings: Settings
) -> None:
    found = http.get(f"{settings.issuer}/help/errors")
    assert found.status_code == 200
    text, guide = parse(found.text).text, GUIDE.read_text()
    for kind, told in EXPLAINED.items():
        assert f'id="{kind.value}"' in found.text
        assert told.sentence in text
        assert told.advice in text
        assert f"| `{kind.value}` | {told.sentence} | {told.advice} |" in guide
    assert guide.count("\n| `") == len(EXPLAINED)


def test_letters_that_differ_are_marked() -> None:
    sent, right = compared("http://a.test/cb/", "https://a.test/cb")
    assert [piece.text for piece in sent if piece.differs] == ["/"]
    assert [piece.text for piece in right if piece.differs] == ["s"]
    assert "".join(piece.text for piece in sent) == "http://a.test/cb/"
    assert compared("abc", "https://xyz.test") == ((Piece("abc"),), (Piece("https://xyz.test"),))
    assert compared("", "") == ((), ())
    long = "https://a.test/" + "a" * 3000
    assert compared(long, long + "/")[0] == (Piece(long),)
