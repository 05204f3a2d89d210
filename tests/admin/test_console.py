"""Applications, keys, mail and settings in the console."""

import json

import pytest

from idp.config import PREFIX, Settings, load
from idp.config_sources import shown
from idp.domain.services import Services
from tests.admin.conftest import Enter, Staff
from tests.support.application import KEY_ENCRYPTION_KEY
from tests.support.deployment import Deployment
from tests.support.held_clock import HeldClock
from tests.support.refusals import entries
from tests.support.seeds import ADA, OPERATOR, ORIGIN, add_client
from tests.support.token_client import TokenClient

DAY = 86400


def events(services: Services, staff: Staff) -> list[str]:
    """What this person did that changed something."""
    seen = [entry for entry in entries(services.store) if entry["actor"] == staff.actor]
    return [each["event"] for each in seen if each["outcome"] == "done"]


class TestApplications:
    def test_pages(self, admin: Staff, services: Services) -> None:
        for number in range(55):
            details = {"client_name": f"N {number}", "redirect_uris": ["https://n.test/cb"]}
            add_client(services, details, f"n-{number:03}")
        first = admin.get("/admin/clients")
        second = admin.get(first.document.links["Next page"])
        every = [client.client_id for client in services.clients.list()]
        on_pages = [
            url.rpartition("/")[2]
            for page in (first, second)
            for url in page.document.links.values()
            if url.startswith("/admin/clients/")
        ]
        assert sorted(on_pages) == sorted(every)
        assert "Next page" not in second.document.links

    def test_one(self, admin: Staff, deployment: Deployment, services: Services) -> None:
        secret = deployment.seeds.client_secrets["webapp"]
        services.clients.rotate_secret("webapp", 3600, origin=ORIGIN, actor=OPERATOR)
        page = admin.get("/admin/clients/webapp")
        assert page.response.text.count("Made on") == 2
        assert page.response.text.count("Works until") == 2
        client = services.clients.get("webapp")
        for words in (*client.redirect_uris, *client.post_logout_redirect_uris, "grant_types"):
            assert words in page.text
        assert secret not in page.response.text
        for digest, _ in client.secrets:
            assert digest.hex() not in page.response.text
        assert admin.get("/admin/clients/nobody").status == 404

    def test_what_one_was_refused(self, enter: Enter, webapp: TokenClient) -> None:
        webapp.refresh("made-up")
        auditor = enter("auditor")
        page = auditor.get("/admin/clients/webapp")
        page = auditor.get(page.document.links["Recent errors"])
        assert "The refresh token is none that this client was given." in page.text
        assert "sender unproven" not in page.text
        assert "Nothing was refused" in auditor.get("/admin/clients/spa/errors").text
        assert auditor.get("/admin/clients/nobody/errors").status == 404

    def test_disable_and_enable(
        self, admin: Staff, services: Services, webapp: TokenClient
    ) -> None:
        page = admin.post("/admin/clients/webapp/disable", typed="spa")
        assert page.status == 400
        assert "That is not the ID of this application." in page.text
        assert not services.clients.get("webapp").disabled
        page = admin.post("/admin/clients/webapp/disable", typed="webapp")
        assert page.url.endswith("/admin/clients/webapp?done=disabled")
        assert services.clients.get("webapp").disabled
        page = admin.post("/admin/clients/webapp/enable")
        assert not services.clients.get("webapp").disabled
        assert events(services, admin)[-2:] == ["client.disabled", "client.enabled"]

    def test_an_auditor_sees_no_deed(self, enter: Enter) -> None:
        assert "Disable" not in enter("auditor").get("/admin/clients/webapp").text


class TestKeys:
    def test_states_in_words(self, admin: Staff, services: Services, clock: HeldClock) -> None:
        text = admin.get("/admin/keys").text
        kept = len(services.signing_keys.algorithms)
        assert text.count("Signs since") == kept
        opening = len(services.decryption_keys.algorithms)
        assert text.count("Published since") == kept + opening
        assert text.count("Kept ready since") == text.count("Is published on") == opening
        clock.advance(31 * DAY)
        services.signing_keys.advance()
        clock.advance(DAY)
        services.signing_keys.advance()
        clock.advance(-DAY)
        states = {key.state for key in services.signing_keys.list()}
        assert states == {"next", "active", "archived"}

    def test_what_comes_next_is_what_happens(self, services: Services, clock: HeldClock) -> None:
        """The date that the page tells is the first at which the schedule acts."""
        keys = services.signing_keys
        promised = keys.schedule.takes_over_at(keys.list(), "ES256")
        assert promised is not None
        heir = next(k.kid for k in keys.list() if (k.algorithm, k.state) == ("ES256", "next"))
        clock.advance(promised - clock() - 1)
        keys.advance()
        assert keys.active("ES256").kid != heir
        clock.advance(1)
        keys.advance()
        assert keys.active("ES256").kid == heir

    def test_rotate(self, admin: Staff, services: Services, clock: HeldClock) -> None:
        keys = services.signing_keys
        before = keys.active("ES256").kid
        page = admin.post("/admin/keys/ES256/rotate", typed="RS256")
        assert page.status == 400
        page = admin.post("/admin/keys/ES256/rotate", typed="ES256")
        assert page.status == 409
        assert "It may sign from" in page.text
        assert keys.active("ES256").kid == before
        clock.advance(DAY - 3600)
        page = admin.post("/admin/keys/ES256/rotate", typed="ES256")
        assert "The next key signs now." in page.text
        assert "Leaves the published keys on" in page.text
        assert keys.active("ES256").kid != before
        assert {"signing_key.retired", "signing_key.activated"} <= set(events(services, admin))
        assert admin.get("/admin/keys/HS256/rotate").status == 404

    def test_keys_that_others_encrypt_to(
        self, admin: Staff, services: Services, clock: HeldClock
    ) -> None:
        def kid() -> str:
            return str(services.decryption_keys.published()[0]["kid"])

        before = kid()
        page = admin.post("/admin/keys/ECDH-ES/rotate", typed="ECDH-ES")
        assert page.status == 409
        assert "It may be published from" in page.text
        clock.advance(DAY - 3600)
        page = admin.post("/admin/keys/ECDH-ES/rotate", typed="ECDH-ES")
        assert "The next key is published now." in page.text
        assert "Opens what is encrypted to it until" in page.text
        assert kid() != before
        assert {"decryption_key.retired", "decryption_key.activated"} <= set(
            events(services, admin)
        )
        page = admin.post("/admin/keys/ECDH-ES/rotate", typed="ECDH-ES", choice="yes")
        assert "Opens nothing any more" in page.text

    def test_emergency(self, admin: Staff, services: Services) -> None:
        keys = services.signing_keys
        bad = keys.active("ES256").kid
        page = admin.post("/admin/keys/ES256/rotate", typed="ES256", choice="yes")
        assert "Not trusted since" in page.text
        assert keys.verification_key(bad) is None
        assert "signing_key.withdrawn" in events(services, admin)


class TestMail:
    def test_without_a_server(self, admin: Staff) -> None:
        page = admin.get("/admin/mail")
        assert "nothing is sent" in page.text
        assert "Send a test mail" not in page.text
        assert admin.post("/admin/mail/test").status == 404

    @pytest.mark.settings(smtp_url="smtps://idp:s3cret-of-mail@mail.example.test:465")
    def test_a_test_mail_goes_to_whoever_asks(self, admin: Staff, services: Services) -> None:
        page = admin.get("/admin/mail")
        assert "mail.example.test" in page.text
        assert "s3cret-of-mail" not in page.response.text
        page = admin.post("/admin/mail/test", to=ADA.email)
        assert "The test mail is on its way to you." in page.text
        mail = services.outbox.latest(1)[0]
        assert (mail.kind, mail.to) == ("mail_test", admin.account.email)
        assert events(services, admin)[-1] == "mail.tested"
        assert "mail_test" in page.text
        assert "waiting" in page.text


class TestConfiguration:
    def test_every_setting_is_there_and_no_secret(self, admin: Staff) -> None:
        page = admin.get("/admin/configuration")
        for name in Settings.model_fields:
            assert f"{PREFIX}{name.upper()}" in page.text
        assert KEY_ENCRYPTION_KEY not in page.response.text
        assert "seconds (10 minutes)" in page.text

    def test_where_values_come_from(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        file = tmp_path_factory.mktemp("settings") / "url"
        file.write_text("postgresql://idp:s3cret@db/idp")
        file.chmod(0o600)
        monkeypatch.setenv("IDP_DATABASE_URL_FILE", str(file))
        monkeypatch.setenv("IDP_SMTP_URL", "smtp://a:s3cret@mail")
        found = {one.variable: one for one in shown(load({"issuer": "https://id.example.test"}))}
        assert "s3cret" not in json.dumps([vars(one) for one in found.values()])
        assert found["IDP_DATABASE_URL"].source == str(file)
        assert found["IDP_DATABASE_URL"].value == "postgresql://idp:…@db/idp"
        smtp = found["IDP_SMTP_URL"]
        assert (smtp.value, smtp.given, smtp.source) == (None, True, "environment")
        assert found["IDP_ISSUER"].source == "program"
        code = found["IDP_CODE_LIFETIME"]
        assert (code.value, code.unit, code.source) == ("60", "seconds", "default")
        assert found["IDP_MAX_BODY_BYTES"].unit == "bytes"
        assert found["IDP_PASSWORD_MIN_LENGTH"].unit == "characters"
        assert found["IDP_HASH_SLOTS"].unit == ""
