"""Pairwise subjects: OpenID Connect Core section 8, Registration section 5."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from idp.config import Settings
from idp.domain.audit import By
from idp.domain.errors import Invalid
from idp.domain.services import Services
from idp.domain.subjects import Subjects
from idp.store.tables import SessionClient, table
from tests.registration.registrar import METADATA, Registrar
from tests.support import in_process, seeds
from tests.support.application import Seeded, running, settings_for
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock
from tests.support.more_clients import Register
from tests.support.refusals import Refused
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.tls_site import Site
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of

SCOPE = "openid profile email offline_access notes:read"


@pytest.fixture
def settings(
    request: pytest.FixtureRequest, seeded: Seeded, tmp_path: Path, tls_site: Site
) -> Settings:
    """Anybody may register, and documents are at `tls_site`."""
    marker = request.node.get_closest_marker("settings")
    return settings_for(
        seeded.database,
        tmp_path / "keys",
        registration="open",
        outbound_origins=[tls_site.origin()],
        outbound_ca_file=str(tls_site.authority),
        **(marker.kwargs if marker else {}),
    )


def pairwise(register: Register, name: str, host: str) -> TokenClient:
    """Register a client with pairwise subjects at a host."""
    uris = [f"https://{host}/{name}"]
    return register(name, subject_type="pairwise", redirect_uris=uris, scope=SCOPE)


def subject(issued: Mapping[str, Any]) -> str:
    """Return whom an ID token is about."""
    return str(claims_of(issued["id_token"])["sub"])


@pytest.mark.every_database
def test_each_sector_knows_a_person_by_a_name_of_its_own(
    register: Register,
    webapp: TokenClient,
    notes_api: TokenClient,
    browserless: Browserless,
    services: Services,
) -> None:
    clients = [
        pairwise(register, "shop", "shop.example.test"),
        pairwise(register, "till", "SHOP.example.test:8443"),
        pairwise(register, "bank", "bank.example.test"),
        webapp,
    ]
    account = services.accounts.get(ADA.email)
    found = []
    for client in clients:
        issued = client.sign_in(browserless, SCOPE)
        found.append(subject(issued))
        seen = [
            claims_of(issued["access_token"]),
            client.userinfo(issued["access_token"]).json(),
            client.introspect(issued["access_token"]).json(),
            client.introspect(issued["refresh_token"]).json(),
            notes_api.introspect(issued["access_token"]).json(),
            claims_of(client.refresh(issued["refresh_token"]).json()["id_token"]),
        ]
        assert {one["sub"] for one in seen} == {subject(issued)}
        # What is the same everywhere is in nothing that an API could join by.
        if client is not webapp:
            told = str([claims_of(issued["access_token"]), seen[4]])
            assert not [same for same in (account.id, account.subject, ADA.email) if same in told]
    shop, till, bank, public = found
    assert shop == till
    assert public == account.subject
    assert len({shop, bank, public}) == 3
    copy = services.own.export.of(account, By(f"account:{account.id}", ORIGIN))
    subjects = {one["client_id"]: one["sub"] for one in copy["applications"]}
    assert subjects == {"shop": shop, "till": shop, "bank": bank, "webapp": public}


def test_another_person_has_another_name_and_the_key_makes_it(
    register: Register, browserless: Browserless, deployment: Any, services: Services
) -> None:
    client = pairwise(register, "shop", "shop.example.test")
    other = deployment.browserless()
    other.person = GRACE
    names = {subject(client.sign_in(one, "openid")) for one in (browserless, other)}
    assert len(names) == 2
    assert {len(name) for name in names} == {43}
    registered = services.clients.get("shop")
    account = services.accounts.get(ADA.email)
    assert services.subjects.of(account, registered) in names
    assert Subjects(bytes(32)).of(account, registered) not in names


def test_the_name_outlives_keys_and_is_the_same_on_each_node(
    register: Register,
    browserless: Browserless,
    services: Services,
    settings: Settings,
    clock: HeldClock,
) -> None:
    client = pairwise(register, "shop", "shop.example.test")
    before = client.sign_in(browserless, "openid offline_access")
    services.signing_keys.rotate(emergency=True, origin=ORIGIN, actor=OPERATOR)
    after = client.refresh(before["refresh_token"]).json()
    assert subject(after) == subject(before)
    with running(settings, clock) as elsewhere:
        client.http = in_process.session(elsewhere, settings.issuer)
        again = client.refresh(after["refresh_token"]).json()
        assert subject(again) == subject(before)


def test_who_is_meant_is_said_by_that_name(
    register: Register, browserless: Browserless, services: Services
) -> None:
    client = pairwise(register, "shop", "shop.example.test")
    other = pairwise(register, "bank", "bank.example.test")
    issued = client.sign_in(browserless, "openid")
    name, public = subject(issued), services.accounts.get(ADA.email).subject
    hint = issued["id_token"]
    asked = client.authorization(id_token_hint=hint, prompt="none")
    assert "code" in browserless.start(asked).callback
    for value, error in ((name, None), (public, "login_required")):
        claims = f'{{"id_token": {{"sub": {{"value": "{value}"}}}}}}'
        asked = client.authorization(claims=claims, prompt="none")
        assert browserless.start(asked).callback.get("error") == error
    # Another client's hint is none, whatever its sector.
    asked = other.authorization(id_token_hint=hint, prompt="none")
    assert browserless.start(asked).callback["error"] == "invalid_request"
    # Logout tokens will say it as well, and a hint signs out without a question.
    joined = table(SessionClient)
    with services.store.reading() as connection:
        assert connection.execute(select(joined.c.subject)).scalars().all() == [name]
    page = browserless.get("/oauth2/logout", {"id_token_hint": hint})
    assert "/oauth2/logout" not in page.url
    asked = client.authorization(prompt="none")
    assert browserless.start(asked).callback["error"] == "login_required"


def test_without_a_sector_no_client_is_stored(services: Services) -> None:
    details = {"subject_type": "pairwise", "redirect_uris": [], "client_name": "x"}
    with pytest.raises(Invalid, match="sector"):
        services.clients.add(details, secret=False, origin=ORIGIN, actor=OPERATOR)


# Registration


@pytest.fixture
def registrar(deployment: Any) -> Registrar:
    """Somebody without an initial access token."""
    return Registrar(deployment.new_http(), deployment.issuer)


ONE, TWO = "https://one.example.test/callback", "https://two.example.test/callback"
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("at one host", {"redirect_uris": [ONE, TWO]}),
    ("loopback", {"redirect_uris": [ONE, "http://localhost/cb"]}),
    ("loopback", {"redirect_uris": ["https://127.0.0.1:1/cb"]}),
    (
        "private-use",
        {"redirect_uris": ["com.example.app:/cb"], "application_type": "native"},
    ),
    ("https", {"sector_identifier_uri": "http://sector.example.test/"}),
    ("https", {"sector_identifier_uri": "https://ada@sector.example.test/"}),
    ("fragment", {"sector_identifier_uri": "https://sector.example.test/#a"}),
    ("sector_identifier_uri", {"sector_identifier_uri": 7}),
    ("subject_type", {"subject_type": "secret"}),
    # Special-use addresses are not asked (SECURITY case 80).
    ("could not be fetched", {"sector_identifier_uri": "https://169.254.169.254/latest"}),
    ("could not be fetched", {"sector_identifier_uri": "https://[::ffff:10.0.0.1]/"}),
]
DOCUMENTS: list[tuple[str, Any]] = [
    ("does not list", []),
    ("does not list", [ONE]),
    ("does not list", [ONE, f"{TWO}/"]),
    ("is not a JSON array", {"redirect_uris": [ONE, TWO]}),
    ("is not a JSON array", "null"),
    ("is not JSON", "[" * 100_000),
    ("is not JSON", b"\xff["),
    ("could not be fetched", " " * (256 * 1024) + "[]"),
]


def test_what_is_no_sector_is_refused(
    registrar: Registrar, refused: Refused, tls_site: Site
) -> None:
    def refusal(words: str, **changes: Any) -> None:
        with refused("registration.refused", times=1):
            answer = registrar.post(**{"subject_type": "pairwise", **changes})
        assert answer.status_code == 400, answer.text
        told = answer.json()
        assert told["error"] == "invalid_client_metadata"
        assert words in told["error_description"]

    for words, changes in REFUSED:
        refusal(words, **changes)
    for number, (words, document) in enumerate(DOCUMENTS):
        for subject_type in ("pairwise", "public"):
            address = tls_site.put(f"/{number}/{subject_type}", document)
            changes = {"sector_identifier_uri": address, "subject_type": subject_type}
            refusal(words, redirect_uris=[ONE, TWO], **changes)
    # What is wrong with a server, outsiders are not told; the audit log is.
    missing = tls_site.url("/missing")
    with refused("registration.refused", times=1) as entries:
        answer = registrar.post(sector_identifier_uri=missing)
    text = "The document at sector_identifier_uri could not be fetched."
    assert answer.json()["error_description"] == text
    assert entries[0]["detail"]["reason"] == f"{text} (status 404)"


def test_a_sector_is_settled_when_a_client_registers(
    registrar: Registrar, browserless: Browserless, tls_site: Site, services: Services
) -> None:
    address = tls_site.put("/sector.json", [ONE, TWO, "https://three.example.test/"])
    wanted = {
        **METADATA,
        "subject_type": "pairwise",
        "sector_identifier_uri": address,
        "redirect_uris": [ONE, TWO],
    }
    told = registrar.registered(wanted)
    assert "sector" not in told
    assert told["sector_identifier_uri"] == address
    assert services.clients.get(told["client_id"]).sector == "127.0.0.1"
    client = registrar.client(told)
    before = subject(client.sign_in(browserless, "openid"))
    asked = len(tls_site.asked)
    assert asked == 1
    # What the document says later changes nothing, and nobody asks for it.
    tls_site.put("/sector.json", [])
    assert subject(client.sign_in(browserless, "openid")) == before
    assert len(tls_site.asked) == asked
    # Redirect URIs that change are checked by what it says then.
    refused = registrar.put(told, **wanted)
    assert "does not list" in refused.json()["error_description"]
    tls_site.put("/sector.json", [ONE])
    told |= _changed(registrar.put(told, **{**wanted, "redirect_uris": [ONE]}))
    assert subject(client.sign_in(browserless, "openid")) == before


def _changed(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_nobody_becomes_a_stranger_by_a_change(
    registrar: Registrar, tls_site: Site, services: Services
) -> None:
    wanted = {**METADATA, "redirect_uris": [ONE], "subject_type": "pairwise"}
    told = registrar.registered(wanted)
    elsewhere = tls_site.put("/sector.json", [ONE, TWO])
    for changes in (
        {"subject_type": "public"},
        {"subject_type": None},
        {"redirect_uris": [TWO]},
        {"sector_identifier_uri": elsewhere},
    ):
        answer = registrar.put(told, **{**wanted, **changes})
        assert answer.status_code == 400
        assert "can't be changed" in answer.json()["error_description"]
    assert services.clients.get(told["client_id"]).sector == "one.example.test"
    more = [ONE, "https://ONE.example.test:8443/other"]
    _changed(registrar.put(told, **{**wanted, "redirect_uris": more}))
    public = registrar.registered({**wanted, "subject_type": None})
    answer = registrar.put(public, **wanted)
    assert "can't be changed" in answer.json()["error_description"]
    _changed(registrar.put(public, **{**wanted, "subject_type": None, "redirect_uris": [TWO]}))


def test_an_operator_registers_by_the_same_rules(services: Services, tls_site: Site) -> None:
    address = tls_site.put("/sector.json", [ONE, TWO])
    details = {
        "redirect_uris": [ONE, TWO],
        "subject_type": "pairwise",
        "sector_identifier_uri": address,
    }
    seeds.add_client(services, details, "by-hand")
    found = services.clients.get("by-hand")
    assert (found.sector, found.details["sector_identifier_uri"]) == ("127.0.0.1", address)
    assert "sector" not in found.details


@pytest.mark.settings(network_limit=2)
def test_documents_are_not_asked_for_as_often_as_somebody_likes(
    registrar: Registrar, tls_site: Site
) -> None:
    address = tls_site.put("/sector.json", [ONE])
    wanted = {**METADATA, "redirect_uris": [ONE], "sector_identifier_uri": address}
    answers = [registrar.post(wanted).status_code for _ in range(4)]
    assert answers == [201, 201, 429, 429]
    assert len(tls_site.asked) == 2
