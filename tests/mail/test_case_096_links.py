"""Case 96: no request decides where a mailed link leads."""

import pytest
import requests
from flask import Flask

from idp.config import Settings
from idp.domain.services import Services
from idp.web.mails import Mails
from tests.mail.conftest import Put
from tests.mail.samples import ISSUER, SAMPLES

LIES = [
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"},
    {"Forwarded": "host=evil.example;proto=http"},
    {"Origin": "https://evil.example", "Referer": "https://evil.example/"},
]


@pytest.mark.settings(development=True)
@pytest.mark.parametrize("lie", LIES, ids=lambda lie: next(iter(lie)))
def test_case_096_headers_do_not_change_a_mail(
    http: requests.Session, put: Put, lie: dict[str, str]
) -> None:
    mail_id = put("credential_added", values=SAMPLES["credential_added"])
    for form in ("", "/html"):
        answer = http.get(f"{ISSUER}/dev/mail/{mail_id}{form}", headers=lie)
        assert answer.status_code == 200
        assert f"{ISSUER}/account" in answer.text
        assert "evil" not in answer.text


@pytest.mark.parametrize("kind", SAMPLES)
def test_case_096_a_lying_host_does_not_change_a_mail(app: Flask, mails: Mails, kind: str) -> None:
    quiet = mails.render(kind, "en", SAMPLES[kind])
    with app.test_request_context("/", base_url="http://evil.example", headers=LIES[0]):
        assert mails.render(kind, "en", SAMPLES[kind]) == quiet


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/interaction/x",
        "https://id.example.test.evil.example/x",
        "https://id.example.test@evil.example/x",
        "http://id.example.test/x",
        "/interaction/x",
        "javascript:alert(1)",
    ],
)
@pytest.mark.parametrize("name", ["link", "sign_in_link", "sign_up_link"])
def test_case_096_a_link_elsewhere_is_not_taken(
    services: Services, settings: Settings, put: Put, name: str, link: str
) -> None:
    assert settings.issuer == ISSUER
    with pytest.raises(ValueError, match="must begin with the issuer"):
        put("sign_in_link", values={name: link})
    assert services.outbox.latest(10) == []
