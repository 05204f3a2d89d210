"""SECURITY cases 145 and 160: after everything was done at DEBUG, no secret stands anywhere.

What went over the wire, through forms, addresses, cookies and command output, is searched for in
the log, in every file of the data folder, and in a dump of the database.
"""

from pathlib import Path

import pytest
import requests

from tests.mail import mail_server
from tests.pages_live.mailbox import Mailbox
from tests.running.commands import Place, secret_of
from tests.secrets.factor_flows import FactorFlows
from tests.secrets.flows import Flows
from tests.support.application import KEY_ENCRYPTION_KEY
from tests.support.browserless import Browserless, Page, Person
from tests.support.discovery import Discovery
from tests.support.html_pages import Form
from tests.support.ports import free_port
from tests.support.secrets_seen import SecretsSeen, files
from tests.support.serving import HOST, Serve

EXPECTED = {
    "ID token",
    "access token",
    "account link",
    "challenge",
    "client secret",
    "code",
    "cookie",
    "credential",
    "device cookie",
    "form token",
    "handle",
    "interaction link",
    "invitation link",
    "mail link",
    "part of a malformed request",
    "password",
    "printed secret",
    "recovery code",
    "refresh token",
    "seed",
    "setup link",
    "signature",
    "verifier",
}
SIX_DIGITS = {"app code", "mailed code", "typed code"}


@pytest.mark.timeout(300)
def test_case_145_no_secret_is_in_log_data_folder_or_database(serve: Serve, tmp_path: Path) -> None:
    seen = SecretsSeen()
    seen.note("key-encryption key", KEY_ENCRYPTION_KEY)
    with mail_server.serving() as server:
        smtp_url = f"smtp://{HOST}:{server.port}"
        serving = serve(log_level="debug", network_limit=10_000, sign_up="open", smtp_url=smtp_url)
        flows = Flows(serving.deployment, seen, serving.environment)
        flows.everything()
        FactorFlows(flows.deployment, seen, Mailbox(server)).everything(flows.invite)
    if serving.seeded.database.kind == "sqlite":
        flows.command("backup", "create", str(tmp_path / "backup"))
    database = serving.seeded.database
    stored = {**files(database.data_dir), "the dump": database.dump().encode()}
    backups = {str(path): path.read_bytes() for path in tmp_path.glob("backup*")}
    assert bool(backups) == (database.kind == "sqlite")
    log = serving.log()
    said = {"the log": log.encode(), "what commands logged": flows.said}
    assert seen.known.keys() >= EXPECTED, EXPECTED - seen.known.keys()
    assert seen.codes.keys() == SIX_DIGITS
    assert b"ada@example.test" in stored["the dump"]
    assert '"path":"/oauth2/token"' in log, "the requests are in this log"
    assert seen.leaks({**stored, **backups, **said}) == []


def test_the_search_would_find_it(serve: Serve) -> None:
    """The same places, with what stands there rightly."""
    serving = serve(log_level="debug")
    deployment = serving.deployment
    deployment.client("webapp").sign_in(deployment.browserless(), "openid")
    seen = SecretsSeen()
    seen.note("path", "/oauth2/token")
    seen.note("address", "ada@example.test")
    found = seen.leaks(
        {"log": serving.log().encode(), "dump": serving.seeded.database.dump().encode()}
    )
    assert found == ["address in dump as it is", "path in log as it is"]


def form_for(page: Page, step: str) -> Form | None:
    return next((form for form in page.document.forms if form.button("step", step)), None)


def walk(browser: Browserless) -> None:
    """Go through the playground from the request to the sign-out."""
    page = browser.get("/playground")
    form = form_for(page, "start")
    assert form is not None
    page = browser.submit(page, form.button("step", "start"), form)
    while form_for(page, "exchange") is None:
        page = browser.answer(page)
    for step in ("exchange", "userinfo", "introspect", "refresh", "refresh", "revoke"):
        form = form_for(page, step)
        assert form is not None or step == "refresh", f"{step}: {page}"
        if form is not None:
            page = browser.submit(page, form.button("step", step), form)
    form = next(form for form in page.document.forms if form.action.endswith("/oauth2/logout"))
    browser.submit(page, form=form)


def test_case_145_no_secret_of_the_playground_is_in_log_or_data_folder(tmp_path: Path) -> None:
    """It keeps tokens between its pages: sealed, and never in the log."""
    place = Place(tmp_path)
    port = free_port()
    environment = {"PORT": str(port), "IDP_LOG_LEVEL": "debug"}
    seen = SecretsSeen()
    with place.serving("dev", environment=environment) as running:
        block = running.block()
        issuer = block["Issuer"]
        seen.note("password", secret_of(block["Demo user"]))
        seen.output("\n".join(block.values()))
        http = requests.Session()
        http.trust_env = False
        seen.watch(http)
        email = block["Demo user"].split()[0]
        person = Person(email, secret_of(block["Demo user"]))
        walk(Browserless(http, Discovery(http, issuer), person))
        while_running = seen.leaks(files(place.folder / "var"))
        assert running.stop() == 0
    log = running.log.read_bytes()
    assert {"code", "cookie", "form token", "password", "printed secret"} <= seen.known.keys()
    assert while_running + seen.leaks({"log": log, **files(place.folder / "var")}) == []
