"""The outbox page: there in development, with every mail readable; nowhere else."""

import pytest
import requests
from flask import Flask

from tests.mail.conftest import Put
from tests.mail.samples import ISSUER, LINK, SAMPLES
from tests.support.html_pages import parse

IN_DEVELOPMENT = pytest.mark.settings(development=True)


@IN_DEVELOPMENT
def test_the_newest_mail_comes_first_and_leads_to_its_text(
    http: requests.Session, put: Put
) -> None:
    put("mail_test", "grace@example.test")
    mail_id = put("sign_in_link", "ada@example.test", SAMPLES["sign_in_link"])
    answer = http.get(f"{ISSUER}/dev/mail")
    page = parse(answer.text)
    assert page.text.index("ada@example.test") < page.text.index("grace@example.test")
    assert "waiting" in page.text
    assert f'href="/dev/mail/{mail_id}"' in answer.text
    shown = http.get(f"{ISSUER}/dev/mail/{mail_id}")
    assert "402917" in parse(shown.text).text
    assert f'href="{LINK}"' in shown.text
    assert f'href="/dev/mail/{mail_id}/html"' in shown.text
    assert "style-src 'self'" in shown.headers["Content-Security-Policy"]


@IN_DEVELOPMENT
def test_the_other_form_has_a_policy_of_its_own(http: requests.Session, put: Put) -> None:
    mail_id = put("sign_in_link", "ada@example.test", SAMPLES["sign_in_link"])
    answer = http.get(f"{ISSUER}/dev/mail/{mail_id}/html")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; frame-ancestors 'none'; style-src 'unsafe-inline'; "
        "base-uri 'none'; sandbox"
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert f'href="{LINK}"' in answer.text


@IN_DEVELOPMENT
def test_an_empty_outbox_says_what_fills_it(http: requests.Session) -> None:
    assert "There is no mail yet" in http.get(f"{ISSUER}/dev/mail").text


@IN_DEVELOPMENT
def test_a_mail_that_is_not_there_is_not_found(http: requests.Session, put: Put) -> None:
    wordless = put("no_such_kind")
    for mail_id in ("nothing", wordless):
        for form in ("", "/html"):
            assert http.get(f"{ISSUER}/dev/mail/{mail_id}{form}").status_code == 404
    assert "no_such_kind" in http.get(f"{ISSUER}/dev/mail").text


@IN_DEVELOPMENT
def test_the_front_page_leads_there(http: requests.Session) -> None:
    assert 'href="/dev/mail"' in http.get(f"{ISSUER}/").text


def test_production_has_no_outbox_page(app: Flask, http: requests.Session, put: Put) -> None:
    mail_id = put()
    assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/dev/")]
    for path in ("/dev/mail", f"/dev/mail/{mail_id}", f"/dev/mail/{mail_id}/html"):
        assert http.get(f"{ISSUER}{path}").status_code == 404
    assert "/dev/mail" not in http.get(f"{ISSUER}/").text
