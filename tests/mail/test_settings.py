"""What is wrong with the mail settings is told at start, together with everything else."""

from pathlib import Path

import pytest

from idp.app import create_app
from idp.config import ConfigurationError, Settings
from idp.domain.delivery import issuer_name, sender
from idp.domain.preflight import examined, mail_problems


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("IDP_SMTP_URL", "ftp://doorward:hunter2@mail.example.com")
    monkeypatch.setenv("IDP_MAIL_FROM", "Doorward <no-reply@example.com>")
    _, problems = examined()
    named = [problem.partition(":")[0] for problem in problems]
    assert {"IDP_ISSUER", "IDP_SMTP_URL", "IDP_MAIL_FROM"} <= set(named)
    assert "hunter2" not in "".join(problems)


def test_the_password_can_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "smtp"
    file.write_text("smtps://doorward:hunter2@mail.example.com\n")
    file.chmod(0o600)
    monkeypatch.setenv("IDP_SMTP_URL_FILE", str(file))
    settings = Settings()
    assert settings.smtp_url.get_secret_value() == "smtps://doorward:hunter2@mail.example.com"
    assert "hunter2" not in repr(settings)
    assert mail_problems(settings) == []


@pytest.mark.settings(smtp_url="smtp://mail.example.com?tls=maybe")
def test_no_application_is_made_of_them(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="IDP_SMTP_URL: may end in"):
        create_app(settings)


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        ("https://id.example.com", "id.example.com"),
        ("http://localhost:8000", "localhost"),
        ("http://[::1]:8000", "[IPv6:::1]"),
    ],
)
def test_mail_comes_from_the_issuers_host(issuer: str, name: str) -> None:
    settings = Settings(issuer=issuer)
    assert issuer_name(settings) == name
    assert sender(settings) == f"no-reply@{name}"
    assert mail_problems(settings) == []


def test_an_operator_names_another_sender() -> None:
    settings = Settings(issuer="https://id.example.com", mail_from="accounts@example.com")
    assert sender(settings) == "accounts@example.com"
