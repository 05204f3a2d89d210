"""Passkeys: SECURITY group M, and the life of a passkey from its making to its removal."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from idp.config import ConfigurationError, load
from idp.domain.accounts import Account
from idp.domain.audit import By, Origin
from idp.domain.credentials import passkeys as module
from idp.domain.credentials.changes import CredentialChanges
from idp.domain.credentials.passkey_providers import PROVIDERS, Provider
from idp.domain.credentials.passkeys import NewPasskey, Passkeys, ProvenPasskey, UnknownPasskey
from idp.domain.errors import Invalid, NotFound, Refused
from idp.domain.services import Services
from idp.store.tables import OneTime, Passkey, table
from tests.storage.taking import at_once
from tests.support.application import ISSUER
from tests.support.browserless import Browserless
from tests.support.held_clock import START, HeldClock
from tests.support.refusals import contents, entries
from tests.support.seeds import ADA, GRACE
from tests.support.software_authenticator import (
    AT,
    BE,
    BS,
    UP,
    UV,
    SoftwareAuthenticator,
    decoded,
    encoded,
)
from tests.support.token_client import TokenClient

RELATED = "https://shop.example.test"
BROWSER, OTHER_BROWSER = b"b" * 32, b"o" * 32
ORIGIN = Origin("192.0.2.7", "r1", "tests")
ROWS = table(Passkey)
both_databases = pytest.mark.every_database


@dataclass
class Person:
    """Somebody with one authenticator before one browser."""

    services: Services
    passkeys: Passkeys
    account: Account
    device: SoftwareAuthenticator
    binding: bytes = BROWSER
    origin: str = ISSUER

    @property
    def by(self) -> By:
        return By(f"account:{self.account.id}", ORIGIN)

    def options(self, **more: Any) -> str:
        return self.passkeys.creation_options(self.account, self.binding, **more)

    def created(self, options: str | None = None, **said: Any) -> NewPasskey:
        answer = self.device.create(options or self.options(), self.origin, **said)
        return self.passkeys.check_creation(self.account, self.binding, answer)

    def add(self, new: NewPasskey, name: str = "") -> module.Passkey:
        with self.services.store.writing() as connection:
            return self.passkeys.add(connection, self.account, new, name, self.by)

    def enrolled(self, name: str = "", **said: Any) -> module.Passkey:
        return self.add(self.created(**said), name)

    def asked(self, *, named: bool = False) -> str:
        return self.passkeys.request_options(self.binding, self.account if named else None)

    def proven(self, *, named: bool = False, **said: Any) -> ProvenPasskey:
        answer = self.device.get(self.asked(named=named), self.origin, **said)
        return self.check(answer, named=named)

    def check(self, answer: str, *, named: bool = False) -> ProvenPasskey:
        return self.passkeys.check(self.binding, answer, self.account if named else None)

    def use(self, proven: ProvenPasskey) -> bool:
        with self.services.store.writing() as connection:
            return self.passkeys.use(connection, proven)


@pytest.fixture
def passkeys(services: Services, clock: HeldClock) -> Passkeys:
    changes = CredentialChanges(services.outbox, services.audit, clock)
    settings = services.settings.model_copy(update={"related_origins": (RELATED,)})
    return Passkeys(services.store, services.one_time, changes, clock, settings)


@pytest.fixture
def ada(services: Services, passkeys: Passkeys) -> Person:
    account = services.accounts.get(ADA.email)
    return Person(services, passkeys, account, SoftwareAuthenticator())


@pytest.fixture
def grace(services: Services, passkeys: Passkeys) -> Person:
    account = services.accounts.get(GRACE.email)
    return Person(services, passkeys, account, SoftwareAuthenticator())


def row_of(services: Services) -> dict[str, Any]:
    with services.store.reading() as connection:
        return dict(connection.execute(select(ROWS)).mappings().one())


def refusal(services: Services, attempt: Callable[..., object], *values: Any, **more: Any) -> str:
    """Return why an attempt with these values is refused, which changes nothing."""
    before = contents(services.store)
    with pytest.raises(Refused) as caught:
        attempt(*values, **more)
    assert contents(services.store) == before
    return caught.value.reason


@both_databases
def test_a_passkey_is_made_and_signs_in(services: Services, ada: Person, clock: HeldClock) -> None:
    passkey = ada.enrolled()
    assert passkey == module.Passkey(
        id=passkey.id,
        name="Google Password Manager",
        aaguid="ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4",
        provider=Provider("Google Password Manager", "phone"),
        synced=True,
        backed_up=True,
        created_at=int(START),
        last_used_at=None,
        transports=("internal", "hybrid"),
    )
    clock.advance(60)
    proven = ada.proven()
    assert (proven.account_id, proven.passkey_id) == (ada.account.id, passkey.id)
    assert (proven.synced, proven.backed_up, proven.new_count) == (True, True, 0)
    assert ada.use(proven)
    used = replace(passkey, last_used_at=int(START) + 60)
    assert ada.passkeys.of(ada.account.id) == [used]
    assert ada.use(ada.proven(named=True))


def test_the_options_for_a_new_passkey(ada: Person) -> None:
    ada.enrolled()
    options = json.loads(ada.options())
    assert len(decoded(options.pop("challenge"))) == 32
    assert options == {
        "rp": {"id": "id.example.test", "name": "Doorward"},
        "user": {
            "id": encoded(ada.account.subject.encode()),
            "name": ADA.email,
            "displayName": ADA.name,
        },
        "pubKeyCredParams": [
            {"type": "public-key", "alg": -7},
            {"type": "public-key", "alg": -8},
            {"type": "public-key", "alg": -257},
        ],
        "timeout": 300_000,
        "excludeCredentials": [
            {
                "id": encoded(ada.device.credential_id),
                "type": "public-key",
                "transports": ["internal", "hybrid"],
            }
        ],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def test_the_options_for_a_sign_in(ada: Person, grace: Person) -> None:
    ada.enrolled()
    grace.enrolled()
    options = json.loads(ada.asked(named=True))
    assert len(decoded(options.pop("challenge"))) == 32
    known = {
        "id": encoded(ada.device.credential_id),
        "type": "public-key",
        "transports": ["internal", "hybrid"],
    }
    assert options == {
        "rpId": "id.example.test",
        "timeout": 300_000,
        "allowCredentials": [known],
        "userVerification": "required",
    }
    assert json.loads(ada.asked())["allowCredentials"] == []


@pytest.mark.settings(issuer="http://localhost:8000")
def test_the_relying_party_is_the_issuers_host_without_its_port(ada: Person) -> None:
    assert json.loads(ada.options())["rp"]["id"] == "localhost"
    assert json.loads(ada.asked())["rpId"] == "localhost"
    ada.origin = "http://localhost:8000"
    ada.enrolled()
    assert ada.use(ada.proven())


@both_databases
def test_case_100_a_challenge_works_once(services: Services, ada: Person) -> None:
    new = ada.created()
    ada.add(new)
    assert refusal(services, ada.add, new) == "challenge used before, or expired"
    answer = ada.device.get(ada.asked(), ISSUER)
    proven = ada.check(answer)
    assert ada.use(proven)
    assert refusal(services, ada.check, answer) == "challenge used before"
    before = contents(services.store)
    assert not ada.use(proven)
    assert contents(services.store) == before


def test_case_100_a_challenge_is_for_one_ceremony(services: Services, ada: Person) -> None:
    ada.enrolled()
    creation, request = ada.options(), ada.asked()
    other = replace(ada, device=SoftwareAuthenticator())
    challenge = json.loads(request)["challenge"]
    reason = refusal(services, other.created, creation, challenge=challenge)
    assert reason == "unknown challenge"
    challenge = json.loads(creation)["challenge"]
    answer = ada.device.get(request, ISSUER, challenge=challenge)
    assert refusal(services, ada.check, answer) == "unknown challenge"


def test_case_100_a_ceremony_is_named_by_its_type(services: Services, ada: Person) -> None:
    ada.enrolled()
    answer = ada.device.get(ada.asked(), ISSUER, type="webauthn.create")
    assert "client data type" in refusal(services, ada.check, answer)
    options = ada.options()
    reason = refusal(services, ada.created, options, type="webauthn.get")
    assert "client data type" in reason


def test_case_100_a_challenge_is_for_one_browser(services: Services, ada: Person) -> None:
    ada.enrolled()
    answer = ada.device.get(ada.asked(), ISSUER)
    elsewhere = replace(ada, binding=OTHER_BROWSER)
    reason = refusal(services, elsewhere.check, answer)
    assert reason == "challenge of another browser"
    options = ada.options()
    reason = refusal(services, elsewhere.created, options)
    assert reason == "challenge of another browser"


def test_case_100_a_challenge_is_for_one_account(
    services: Services, ada: Person, grace: Person
) -> None:
    options = grace.options()
    reason = refusal(services, ada.created, options)
    assert reason == "challenge for another account"
    ada.enrolled()
    grace.enrolled()
    asked_of = {"ada": ada.asked(named=True), "nobody": ada.asked()}
    for who, options in asked_of.items():
        answer = grace.device.get(options, ISSUER)
        reason = refusal(services, grace.check, answer, named=True)
        assert reason == "challenge for another account", who
    answer = ada.device.get(asked_of["ada"], ISSUER)
    assert refusal(services, ada.check, answer) == "challenge for another account"


def test_a_verified_passkey_is_added_to_no_other_account(
    services: Services, ada: Person, grace: Person
) -> None:
    new = ada.created()
    assert refusal(services, grace.add, new) == "passkey made for another account"


def test_case_100_a_challenge_lives_five_minutes(
    services: Services, ada: Person, clock: HeldClock
) -> None:
    clock.advance(-600)
    ada.enrolled()
    creation, request = ada.options(), ada.device.get(ada.asked(), ISSUER)
    other = replace(ada, device=SoftwareAuthenticator())
    clock.advance(299)
    new, proven = other.created(creation), ada.check(request)
    clock.advance(1)
    assert refusal(services, other.created, creation) == "challenge expired"
    assert refusal(services, ada.check, request) == "challenge expired"
    assert refusal(services, other.add, new) == "challenge used before, or expired"
    assert not ada.use(proven)


def test_case_100_a_made_up_challenge(services: Services, ada: Person) -> None:
    ada.enrolled()
    options = json.dumps({**json.loads(ada.asked()), "challenge": encoded(bytes(32))})
    answer = ada.device.get(options, ISSUER)
    assert refusal(services, ada.check, answer) == "unknown challenge"


NOT_OURS: list[tuple[dict[str, Any], str]] = [
    ({"origin": "https://evil.example"}, "another origin"),
    ({"origin": "https://login.id.example.test"}, "another origin"),
    ({"origin": "https://example.test"}, "another origin"),
    ({"origin": "http://id.example.test"}, "another origin"),
    ({"origin": "https://id.example.test:8443"}, "another origin"),
    ({"origin": "https://id.example.test/"}, "another origin"),
    ({"origin": "https://ID.example.test"}, "another origin"),
    ({"origin": "null"}, "another origin"),
    ({"client_data": {"origin": ["https://id.example.test"]}}, "another origin"),
    ({"client_data": {"origin": None}}, "another origin"),
    ({"client_data": {"crossOrigin": True}}, "inside a page of another origin"),
    ({"client_data": {"crossOrigin": "false"}}, "inside a page of another origin"),
    ({"client_data": {"crossOrigin": None}}, "inside a page of another origin"),
    ({"client_data": {"crossOrigin": 0}}, "inside a page of another origin"),
    ({"client_data": {"topOrigin": "https://evil.example"}}, "inside a page of another origin"),
    ({"client_data": {"topOrigin": ISSUER}}, "inside a page of another origin"),
    ({"rp_id": "evil.example"}, "Unexpected RP ID hash"),
    ({"rp_id": "example.test"}, "Unexpected RP ID hash"),
    ({"rp_id": "login.id.example.test"}, "Unexpected RP ID hash"),
]


@pytest.mark.parametrize(("lie", "reason"), NOT_OURS)
def test_case_101_another_site(
    services: Services, ada: Person, lie: dict[str, Any], reason: str
) -> None:
    ada.enrolled()
    said = {"origin": ISSUER, **lie}
    answer = ada.device.get(ada.asked(), **said)
    assert refusal(services, ada.check, answer) == reason
    device = SoftwareAuthenticator()
    answer = device.create(ada.options(), **said)
    check = ada.passkeys.check_creation
    assert refusal(services, check, ada.account, BROWSER, answer) == reason


def test_case_101_only_origins_of_ours_may_use_passkeys(services: Services, ada: Person) -> None:
    ada.origin = RELATED
    ada.enrolled()
    assert ada.use(ada.proven())
    for other in (f"{RELATED}:444", "https://www.shop.example.test"):
        answer = ada.device.get(ada.asked(), other)
        assert refusal(services, ada.check, answer) == "another origin"


WEAK = [(UP | BE | BS, "User verification"), (UV | BE | BS, "User was not present"), (0, "User")]


@pytest.mark.parametrize(("flags", "reason"), WEAK)
def test_case_102_a_sign_in_without_verification(
    services: Services, ada: Person, flags: int, reason: str
) -> None:
    ada.enrolled()
    for named in (False, True):
        answer = ada.device.get(ada.asked(named=named), ISSUER, flags=flags)
        assert reason in refusal(services, ada.check, answer, named=named)


@pytest.mark.parametrize("flags", [UP | BE | BS, UV | BE | BS, BE | BS])
def test_case_102_a_new_passkey_without_verification(
    services: Services, ada: Person, flags: int
) -> None:
    reason = refusal(services, ada.created, ada.options(), flags=flags | AT)
    assert reason.startswith("User")


def test_a_silent_upgrade_verifies_nobody_but_each_use_does(
    services: Services, ada: Person
) -> None:
    """Conditional creation shows nothing (section 5.1.3): only the server decides for it."""
    options = ada.options(silent=True)
    assert json.loads(options)["authenticatorSelection"]["userVerification"] == "preferred"
    ada.add(ada.created(options, flags=AT | BE | BS))
    answer = ada.device.get(ada.asked(), ISSUER, flags=UP | BE | BS)
    assert "User verification" in refusal(services, ada.check, answer)
    assert ada.use(ada.proven())


def test_a_signature_of_another_key(services: Services, ada: Person) -> None:
    ada.enrolled()
    ada.device.key = ec.generate_private_key(ec.SECP256R1())
    answer = ada.device.get(ada.asked(), ISSUER)
    assert "signature" in refusal(services, ada.check, answer)


def test_case_104_somebody_elses_passkey(services: Services, ada: Person, grace: Person) -> None:
    ada.enrolled()
    grace.enrolled()
    for handle in (None, b"", ada.account.subject.encode()):
        said = {} if handle is None else {"user_handle": handle}
        answer = grace.device.get(ada.asked(named=True), ISSUER, **said)
        reason = refusal(services, ada.check, answer, named=True)
        assert reason == "passkey of another account"


def test_case_104_the_user_handle_is_the_owners(
    services: Services, ada: Person, grace: Person
) -> None:
    ada.enrolled()
    for named in (False, True):
        for handle in (grace.account.subject.encode(), ada.account.id.encode(), b"x" * 64):
            answer = ada.device.get(ada.asked(named=named), ISSUER, user_handle=handle)
            reason = refusal(services, ada.check, answer, named=named)
            assert reason == "user handle of another account"
    answer = ada.device.get(ada.asked(), ISSUER, user_handle=b"")
    assert refusal(services, ada.check, answer) == "no user handle"
    assert ada.use(ada.proven(named=True, user_handle=b""))


def test_an_unknown_passkey_has_a_reason_of_its_own(services: Services, ada: Person) -> None:
    passkey = ada.enrolled()
    ada.passkeys.remove(ada.account, passkey.id, ada.by)
    for named in (False, True):
        answer = ada.device.get(ada.asked(named=named), ISSUER)
        with pytest.raises(UnknownPasskey):
            ada.check(answer, named=named)
        assert refusal(services, ada.check, answer, named=named) == "unknown passkey"


def test_only_who_has_a_challenge_learns_that_a_passkey_is_unknown(
    services: Services, ada: Person
) -> None:
    ada.created()
    options = json.dumps({**json.loads(ada.asked()), "challenge": encoded(bytes(32))})
    answer = ada.device.get(options, ISSUER)
    assert refusal(services, ada.check, answer) == "unknown challenge"


@both_databases
def test_case_105_nobody_else_renames_or_removes_a_passkey(
    services: Services, ada: Person, grace: Person
) -> None:
    passkey = ada.enrolled()
    before = contents(services.store)
    seen = len(entries(services.store))
    for wrong in (passkey.id, "", "no-such-id", encoded(ada.device.credential_id)):
        with pytest.raises(NotFound):
            grace.passkeys.rename(grace.account, wrong, "Mine", grace.by)
        with pytest.raises(NotFound):
            grace.passkeys.remove(grace.account, wrong, grace.by)
    assert contents(services.store) == before
    assert len(entries(services.store)) == seen
    assert [each.id for each in ada.passkeys.of(ada.account.id)] == [passkey.id]


@both_databases
@pytest.mark.parametrize(
    ("stored", "said", "counts"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)],
)
def test_a_sign_count_goes_on(
    services: Services, ada: Person, stored: int, said: int, counts: bool
) -> None:
    ada.enrolled(sign_count=stored)
    proven = ada.proven(sign_count=said)
    assert ada.use(proven) is counts
    row = row_of(services)
    assert row["sign_count"] == (said if counts else stored)
    assert row["last_used_at"] == (int(START) if counts else None)


def test_a_copy_that_overtook_is_noticed(services: Services, ada: Person) -> None:
    ada.enrolled(sign_count=5)
    earlier, later = ada.proven(sign_count=6), ada.proven(sign_count=7)
    assert ada.use(later)
    assert not ada.use(earlier)
    assert row_of(services)["sign_count"] == 7


@both_databases
def test_one_of_many_uses_of_an_answer_wins(services: Services, ada: Person) -> None:
    ada.enrolled()
    proven = ada.proven()
    assert sum(at_once(8, lambda _number: ada.use(proven))) == 1


@both_databases
def test_one_of_many_additions_of_an_answer_wins(services: Services, ada: Person) -> None:
    new = ada.created()
    seen = len(entries(services.store))

    def add(_number: int) -> bool:
        try:
            ada.add(new)
        except Refused:
            return False
        return True

    assert sum(at_once(8, add)) == 1
    assert len(ada.passkeys.of(ada.account.id)) == 1
    assert [entry["event"] for entry in entries(services.store)[seen:]] == ["passkey.added"]


@both_databases
def test_an_account_has_at_most_twenty(services: Services, ada: Person) -> None:
    for _ in range(module.MOST - 1):
        replace(ada, device=SoftwareAuthenticator()).enrolled()
    others = [replace(ada, device=SoftwareAuthenticator()) for _ in range(4)]
    new = [other.created() for other in others]

    def add(number: int) -> bool:
        try:
            others[number].add(new[number])
        except Invalid as error:
            return error.field != "passkey"
        return True

    assert sum(at_once(4, add)) == 1
    assert len(ada.passkeys.of(ada.account.id)) == module.MOST == 20


@pytest.mark.only_on("postgresql")
def test_the_twentieth_waits_for_who_may_be_the_twentieth(services: Services, ada: Person) -> None:
    """SQLite has one writer at a time."""
    for _ in range(module.MOST - 1):
        replace(ada, device=SoftwareAuthenticator()).enrolled()
    first, second = ada.created(), replace(ada, device=SoftwareAuthenticator()).created()
    with ThreadPoolExecutor(1) as pool:
        with services.store.writing() as connection:
            ada.passkeys.add(connection, ada.account, first, "", ada.by)
            waiting = pool.submit(ada.add, second)
            assert not wait([waiting], timeout=0.5).done
        with pytest.raises(Invalid, match="at most 20"):
            waiting.result()


@both_databases
def test_a_passkey_is_registered_once(services: Services, ada: Person, grace: Person) -> None:
    ada.enrolled()
    thief = replace(grace, device=ada.device)
    for person in (ada, thief):
        new = person.created()
        before = contents(services.store)
        with pytest.raises(Invalid, match="already registered") as caught:
            person.add(new)
        assert caught.value.field == "passkey"
        assert contents(services.store) == before
    assert row_of(services)["account_id"] == ada.account.id


def test_a_use_of_a_removed_passkey_does_not_count(ada: Person) -> None:
    passkey = ada.enrolled()
    proven = ada.proven()
    ada.passkeys.remove(ada.account, passkey.id, ada.by)
    assert not ada.use(proven)


def test_the_backup_state_follows_the_last_use(services: Services, ada: Person) -> None:
    assert not ada.enrolled(flags=UP | UV | BE | AT).backed_up
    assert ada.use(ada.proven(flags=UP | UV | BE | BS))
    assert ada.passkeys.of(ada.account.id)[0].backed_up
    assert ada.use(ada.proven(flags=UP | UV | BE))
    assert not ada.passkeys.of(ada.account.id)[0].backed_up


@pytest.mark.parametrize(("first", "then"), [(0, BE), (BE, 0), (BE | BS, 0)])
def test_whether_a_passkey_may_be_backed_up_never_changes(
    services: Services, ada: Person, first: int, then: int
) -> None:
    assert ada.enrolled(flags=UP | UV | AT | first).synced is bool(first)
    answer = ada.device.get(ada.asked(), ISSUER, flags=UP | UV | then)
    assert "backed up" in refusal(services, ada.check, answer)


def test_a_backup_of_what_cannot_be_backed_up(services: Services, ada: Person) -> None:
    reason = refusal(services, ada.created, ada.options(), flags=UP | UV | AT | BS)
    assert "backed up" in reason
    ada.enrolled(flags=UP | UV | AT)
    answer = ada.device.get(ada.asked(), ISSUER, flags=UP | UV | BS)
    assert "backed up" in refusal(services, ada.check, answer)


def test_a_name_is_given_suggested_or_plain(ada: Person) -> None:
    assert ada.enrolled("  Blue phone ").name == "Blue phone"
    unknown = replace(ada, device=SoftwareAuthenticator("00000000-0000-0000-0000-000000000000"))
    passkey = unknown.enrolled()
    assert (passkey.name, passkey.provider) == ("Passkey", Provider("", "passkey"))


@pytest.mark.parametrize("name", ["x" * 61, "two\nlines", "nul\0", "half \ud800", "   "])
def test_names_that_are_refused(services: Services, ada: Person, name: str) -> None:
    passkey = ada.enrolled()
    new = replace(ada, device=SoftwareAuthenticator()).created()
    before = contents(services.store)
    with pytest.raises(Invalid) as caught:
        ada.passkeys.rename(ada.account, passkey.id, name, ada.by)
    assert caught.value.field == "name"
    with pytest.raises(Invalid):
        ada.add(new, name)
    assert contents(services.store) == before


def told(services: Services) -> list[tuple[str, str, str, str]]:
    """Return kind, address and what they tell of all mails, oldest first."""
    mails = reversed(services.outbox.latest(10))
    return [(m.kind, m.to, m.values["factor"], m.values["name"]) for m in mails]


@both_databases
def test_every_change_is_recorded_and_the_person_is_told(services: Services, ada: Person) -> None:
    seen = len(entries(services.store))
    passkey = ada.enrolled("Phone")
    ada.passkeys.rename(ada.account, passkey.id, "Tablet", ada.by)
    ada.use(ada.proven())
    ada.passkeys.remove(ada.account, passkey.id, ada.by)
    new = entries(services.store)[seen:]
    assert [(entry["event"], entry["detail"]["name"]) for entry in new] == [
        ("passkey.added", "Phone"),
        ("passkey.renamed", "Tablet"),
        ("passkey.removed", "Tablet"),
    ]
    for entry in new:
        assert entry["actor"] == f"account:{ada.account.id}"
        assert (entry["account_id"], entry["outcome"]) == (ada.account.id, "done")
        assert (entry["address"], entry["request_id"]) == (ORIGIN.address, ORIGIN.request_id)
    assert sorted(told(services)) == [
        ("credential_added", ADA.email, "passkey", "Phone"),
        ("credential_removed", ADA.email, "passkey", "Tablet"),
    ]


def test_a_removal_shuts_out_who_came_in_with_it(
    ada: Person, browserless: Browserless, webapp: TokenClient
) -> None:
    tokens = webapp.sign_in(browserless, "openid notes:read offline_access")
    passkey = ada.enrolled()
    ada.passkeys.rename(ada.account, passkey.id, "Other name", ada.by)
    assert webapp.active(tokens["access_token"])
    ada.passkeys.remove(ada.account, passkey.id, ada.by)
    assert not webapp.active(tokens["access_token"])
    assert webapp.refresh(tokens["refresh_token"]).status_code == 400


def test_a_browser_learns_which_passkeys_are_left(ada: Person) -> None:
    passkey = ada.enrolled()
    expected = {
        "rpId": "id.example.test",
        "userId": encoded(ada.account.subject.encode()),
        "allAcceptedCredentialIds": [encoded(ada.device.credential_id)],
    }
    assert ada.passkeys.signal(ada.account) == expected
    ada.passkeys.remove(ada.account, passkey.id, ada.by)
    assert ada.passkeys.signal(ada.account) == {**expected, "allAcceptedCredentialIds": []}


def test_a_challenge_is_purged_once_it_expired(services: Services, ada: Person) -> None:
    ada.asked()
    with services.store.reading() as connection:
        row = connection.execute(select(table(OneTime))).mappings().one()
    assert row["kind"] == "passkey use"
    assert row["binding"] == BROWSER
    assert row["keep_until"] == row["expires_at"] == int(START) + 300


def test_kinds_of_providers_have_a_picture_each() -> None:
    kinds = {"phone", "computer", "key", "manager"}
    assert {provider.kind for provider in PROVIDERS.values()} == kinds
    assert all(provider.name for provider in PROVIDERS.values())
    assert all(str(UUID(aaguid)) == aaguid for aaguid in PROVIDERS)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("https://a.example/", "bare origin"),
        ("https://a.example, http://b.example", "must be https origins"),
        ("a.example", "must look like"),
        ("https://A.example", "lower case"),
        ("https://a.example:443", ":443"),
    ],
)
def test_related_origins_are_bare_https_origins(value: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({"related_origins": value})
    (problem,) = caught.value.problems
    assert problem.startswith("IDP_RELATED_ORIGINS: ")
    assert sentence in problem


def test_related_origins_are_separated_by_commas() -> None:
    assert load({}).related_origins == ()
    settings = load({"related_origins": "https://a.example, https://b.example:8443,"})
    assert settings.related_origins == ("https://a.example", "https://b.example:8443")
