"""Authenticator apps: the codes of RFC 6238, each used once, and the life of an authenticator."""

import json
import threading
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from sqlalchemy import select, update

from idp.crypto import totp
from idp.domain.accounts import Account
from idp.domain.audit import By, Origin
from idp.domain.credentials.totp import MOST, Authenticators, Enrolment
from idp.domain.errors import Invalid, NotFound
from idp.domain.outbox import place
from idp.domain.services import Services
from idp.store.tables import Authenticator, OneTime, OutgoingMail, table
from tests.storage.taking import at_once
from tests.support.application import Seeded
from tests.support.browserless import Browserless
from tests.support.held_clock import START, HeldClock
from tests.support.refusals import contents, entries
from tests.support.seeds import ADA, GRACE
from tests.support.token_client import TokenClient

RFC_SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""Base32 of `12345678901234567890`."""
# RFC 6238 appendix B, SHA-1: the last six of the eight digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
STEP = int(START) // 30
BROWSER, OTHER_BROWSER = b"b" * 32, b"o" * 32
ORIGIN = Origin("192.0.2.7", "r1", "tests")
ROWS = table(Authenticator)
both_databases = pytest.mark.every_database
Enrol = Callable[..., tuple[str, str]]
Confirm = Callable[..., str | None]
Prove = Callable[[Account, str], str | None]


def code_of(seed: str, step: int = STEP) -> str:
    return pyotp.TOTP(seed).at(step * 30)


def wrong_for(seed: str) -> str:
    """Return a code that is none of this minute's."""
    near = {code_of(seed, STEP + drift) for drift in range(-3, 4)}
    return next(code for code in ("000000", *(f"{n}" * 6 for n in range(1, 9))) if code not in near)


@pytest.mark.parametrize(("now", "code"), VECTORS)
def test_codes_are_those_of_rfc_6238(now: int, code: str) -> None:
    assert totp.matching_step(RFC_SEED, code, now) == now // 30


@pytest.mark.parametrize("drift", [-3, -2, -1, 0, 1, 2, 3])
def test_a_clock_may_be_one_step_slow_or_fast(drift: int) -> None:
    expected = STEP + drift if abs(drift) <= 1 else None
    for second in (0, 29.9):
        assert totp.matching_step(RFC_SEED, code_of(RFC_SEED, STEP + drift), START + second) == (
            expected
        )


@pytest.mark.parametrize(
    "code", ["", "28708", "0287082", "94287082", "28708a", "-87082", "287.82", "28708\ud800"]
)
def test_what_is_not_six_digits_is_no_code(code: str) -> None:
    assert totp.matching_step(RFC_SEED, code, 59) is None


@pytest.mark.parametrize("code", ["٢٨٧٠٨٢", "\uff12\uff18\uff17\uff10\uff18\uff12"])
def test_digits_of_other_scripts_are_digits(code: str) -> None:
    assert totp.matching_step(RFC_SEED, code, 59) == 1


def test_a_seed_has_160_bits_and_is_never_the_same() -> None:
    seeds = {totp.new_seed() for _ in range(50)}
    assert len(seeds) == 50
    assert {len(pyotp.TOTP(seed).byte_secret()) for seed in seeds} == {20}


def test_an_app_is_told_seed_person_and_issuer() -> None:
    uri = urlsplit(totp.provisioning_uri(RFC_SEED, "Blue & Sons", "ada+x@example.test"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path) == "/Blue & Sons:ada+x@example.test"
    assert parse_qs(uri.query) == {"secret": [RFC_SEED], "issuer": ["Blue & Sons"]}
    assert "+" not in uri.query


@pytest.fixture
def authenticators(services: Services) -> Authenticators:
    return services.authenticators


@pytest.fixture
def ada(services: Services) -> Account:
    return services.accounts.get(ADA.email)


@pytest.fixture
def grace(services: Services) -> Account:
    return services.accounts.get(GRACE.email)


def by(account: Account) -> By:
    return By(f"account:{account.id}", ORIGIN)


@pytest.fixture
def confirm(services: Services, authenticators: Authenticators) -> Confirm:
    """Type a first code; the id of what was enrolled comes back."""

    def type_code(
        account: Account, handle: str, code: str, name: str = "", binding: bytes = BROWSER
    ) -> str | None:
        with services.store.writing() as connection:
            enrolled = authenticators.enrol(
                connection, account, handle, code, name, binding, by(account)
            )
        return enrolled.id if enrolled else None

    return type_code


@pytest.fixture
def enrol(authenticators: Authenticators, confirm: Confirm) -> Enrol:
    """Enrol an authenticator with the code of the step before; its id and seed come back."""

    def finish(account: Account, name: str = "") -> tuple[str, str]:
        begun = authenticators.begin(account, BROWSER, ORIGIN)
        enrolled = confirm(account, begun.handle, code_of(begun.secret, STEP - 1), name)
        assert enrolled is not None
        return enrolled, begun.secret

    return finish


@pytest.fixture
def prove(services: Services, authenticators: Authenticators) -> Prove:
    def type_code(account: Account, code: str) -> str | None:
        with services.store.writing() as connection:
            return authenticators.prove(connection, account.id, code)

    return type_code


def mails(services: Services) -> list[tuple[str, dict[str, object]]]:
    """Return kind and content of each outgoing mail, oldest first."""
    rows = table(OutgoingMail)
    with services.store.reading() as connection:
        found = connection.execute(select(rows).order_by(rows.c.id)).mappings().all()
    return [
        (row["kind"], json.loads(services.sealer.unseal(row["sealed"], place(row["id"]))))
        for row in found
    ]


def test_enrolling_is_recorded_and_its_person_is_told(
    authenticators: Authenticators, services: Services, enrol: Enrol, ada: Account
) -> None:
    authenticator_id, _ = enrol(ada, "  Phone  ")
    (one,) = authenticators.of(ada.id)
    assert (one.id, one.name, one.created_at) == (authenticator_id, "Phone", int(START))
    assert one.last_used_at is None
    entry = entries(services.store)[-1]
    assert (entry["event"], entry["outcome"]) == ("authenticator.added", "done")
    assert (entry["actor"], entry["account_id"]) == (f"account:{ada.id}", ada.id)
    assert (entry["detail"], entry["address"]) == ({"name": "Phone"}, "192.0.2.7")
    ((kind, mail),) = mails(services)
    assert (kind, mail["to"]) == ("credential_added", ADA.email)
    assert mail["values"] == {
        "factor": "authenticator",
        "name": "Phone",
        "at": int(START),
        "address": "192.0.2.7",
        "user_agent": "tests",
    }


def test_without_a_name_it_gets_one(
    authenticators: Authenticators, enrol: Enrol, ada: Account
) -> None:
    enrol(ada, " ")
    assert [one.name for one in authenticators.of(ada.id)] == ["Authenticator app"]


def test_a_page_loaded_again_shows_the_same(authenticators: Authenticators, ada: Account) -> None:
    begun = authenticators.begin(ada, BROWSER, ORIGIN)
    assert authenticators.pending(begun.handle, ada, BROWSER) == begun
    assert f"secret={begun.secret}" in begun.uri
    assert "Doorward:ada%40example.test" in begun.uri
    assert begun.secret not in repr(begun)
    assert authenticators.begin(ada, BROWSER, ORIGIN).secret != begun.secret
    assert authenticators.of(ada.id) == []


def test_a_wrong_code_leaves_the_enrolment_as_it_was(
    authenticators: Authenticators, services: Services, confirm: Confirm, ada: Account
) -> None:
    begun = authenticators.begin(ada, BROWSER, ORIGIN)
    before = contents(services.store)
    assert confirm(ada, begun.handle, wrong_for(begun.secret)) is None
    assert confirm(ada, begun.handle, "") is None
    assert contents(services.store) == before
    assert confirm(ada, begun.handle, code_of(begun.secret)) is not None


def test_an_enrolment_is_for_one_browser_and_one_person(
    authenticators: Authenticators,
    services: Services,
    confirm: Confirm,
    ada: Account,
    grace: Account,
) -> None:
    begun = authenticators.begin(ada, BROWSER, ORIGIN)
    code = code_of(begun.secret)
    before = contents(services.store)
    for account, binding in ((ada, OTHER_BROWSER), (grace, BROWSER), (grace, OTHER_BROWSER)):
        assert authenticators.pending(begun.handle, account, binding) is None
        assert confirm(account, begun.handle, code, binding=binding) is None
    assert confirm(ada, begun.handle + "x", code) is None
    assert contents(services.store) == before
    assert confirm(ada, begun.handle, code) is not None


@pytest.mark.parametrize(("seconds", "works"), [(599, True), (600, False)])
def test_an_enrolment_waits_ten_minutes(
    authenticators: Authenticators,
    confirm: Confirm,
    clock: HeldClock,
    ada: Account,
    seconds: int,
    works: bool,
) -> None:
    begun = authenticators.begin(ada, BROWSER, ORIGIN)
    clock.advance(seconds)
    code = code_of(begun.secret, int(clock.now) // 30)
    assert (authenticators.pending(begun.handle, ada, BROWSER) is not None) is works
    assert (confirm(ada, begun.handle, code) is not None) is works


def test_an_enrolment_is_finished_once_and_its_seed_is_not_kept_for_long(
    authenticators: Authenticators, services: Services, confirm: Confirm, ada: Account
) -> None:
    begun = authenticators.begin(ada, BROWSER, ORIGIN)
    assert confirm(ada, begun.handle, code_of(begun.secret)) is not None
    assert confirm(ada, begun.handle, code_of(begun.secret, STEP + 1)) is None
    assert authenticators.pending(begun.handle, ada, BROWSER) is None
    with services.store.reading() as connection:
        kept = connection.execute(select(table(OneTime).c.keep_until)).scalar_one()
    assert kept == START + 600


@both_databases
def test_of_ten_threads_one_finishes_an_enrolment(
    authenticators: Authenticators, services: Services, confirm: Confirm, ada: Account
) -> None:
    begun = authenticators.begin(ada, BROWSER, ORIGIN)
    code = code_of(begun.secret)
    won = at_once(10, lambda _: confirm(ada, begun.handle, code) is not None)
    assert sum(won) == 1
    assert len(authenticators.of(ada.id)) == 1
    assert len(mails(services)) == 1


def test_five_are_enough(
    authenticators: Authenticators, enrol: Enrol, ada: Account, grace: Account
) -> None:
    for _ in range(MOST):
        enrol(ada)
    with pytest.raises(Invalid, match="at most 5"):
        authenticators.begin(ada, BROWSER, ORIGIN)
    assert MOST == 5
    enrol(grace)


@both_databases
def test_five_are_enough_also_when_two_come_at_once(
    authenticators: Authenticators, enrol: Enrol, confirm: Confirm, ada: Account
) -> None:
    for _ in range(MOST - 1):
        enrol(ada)
    begun = [authenticators.begin(ada, BROWSER, ORIGIN) for _ in range(4)]

    def finish(number: int) -> bool:
        one: Enrolment = begun[number]
        try:
            return confirm(ada, one.handle, code_of(one.secret)) is not None
        except Invalid:
            return False

    assert sum(at_once(4, finish)) == 1
    assert len(authenticators.of(ada.id)) == MOST


def test_the_confirming_code_is_used_up(
    authenticators: Authenticators, confirm: Confirm, prove: Prove, ada: Account
) -> None:
    begun = authenticators.begin(ada, BROWSER, ORIGIN)
    code = code_of(begun.secret)
    enrolled = confirm(ada, begun.handle, code)
    assert prove(ada, code) is None
    assert prove(ada, code_of(begun.secret, STEP + 1)) == enrolled


def test_a_code_is_used_once_and_earlier_ones_are_over(
    authenticators: Authenticators, enrol: Enrol, prove: Prove, clock: HeldClock, ada: Account
) -> None:
    authenticator_id, seed = enrol(ada)
    clock.advance(90)
    steps = [STEP + 3, STEP + 4, STEP + 2]
    assert prove(ada, code_of(seed, steps[0])) == authenticator_id
    assert [one.last_used_at for one in authenticators.of(ada.id)] == [int(START) + 90]
    assert prove(ada, code_of(seed, steps[0])) is None
    assert prove(ada, code_of(seed, steps[2])) is None
    assert prove(ada, code_of(seed, steps[1])) == authenticator_id
    assert prove(ada, code_of(seed, steps[0])) is None
    clock.advance(30)
    assert prove(ada, code_of(seed, steps[1])) is None


def test_a_wrong_code_changes_nothing(
    services: Services, enrol: Enrol, prove: Prove, ada: Account, grace: Account
) -> None:
    _, seed = enrol(ada)
    before = contents(services.store)
    for code in ("", wrong_for(seed), code_of(seed, STEP + 2), code_of(seed, STEP - 2), "\0" * 6):
        assert prove(ada, code) is None
    assert prove(grace, code_of(seed)) is None
    assert contents(services.store) == before


def test_spaces_in_a_code_do_not_matter(enrol: Enrol, prove: Prove, ada: Account) -> None:
    authenticator_id, seed = enrol(ada)
    code = code_of(seed)
    assert prove(ada, f" {code[:3]}\N{NO-BREAK SPACE}{code[3:]}\n") == authenticator_id


def test_every_authenticator_of_a_person_is_tried(
    enrol: Enrol, prove: Prove, ada: Account, grace: Account
) -> None:
    enrolled = [enrol(ada) for _ in range(3)]
    enrol(grace)
    for authenticator_id, seed in enrolled:
        assert prove(ada, code_of(seed)) == authenticator_id


@both_databases
def test_of_ten_threads_one_uses_a_code(enrol: Enrol, prove: Prove, ada: Account) -> None:
    authenticator_id, seed = enrol(ada)
    proven: list[object] = []

    def use(_number: int) -> bool:
        proven.append(prove(ada, code_of(seed)))
        return proven[-1] is not None

    assert sum(at_once(10, use)) == 1
    assert set(proven) == {authenticator_id, None}


def test_a_use_that_is_undone_did_not_happen(
    authenticators: Authenticators, services: Services, enrol: Enrol, prove: Prove, ada: Account
) -> None:
    authenticator_id, seed = enrol(ada)

    def use_and_fail() -> None:
        with services.store.writing() as connection:
            assert authenticators.prove(connection, ada.id, code_of(seed)) == authenticator_id
            raise KeyError("the rest failed")

    with pytest.raises(KeyError):
        use_and_fail()
    assert prove(ada, code_of(seed)) == authenticator_id


def test_another_name_is_recorded_and_nobody_is_told(
    authenticators: Authenticators, services: Services, enrol: Enrol, prove: Prove, ada: Account
) -> None:
    authenticator_id, seed = enrol(ada)
    authenticators.rename(ada, authenticator_id, " Work phone ", by(ada))
    assert [one.name for one in authenticators.of(ada.id)] == ["Work phone"]
    entry = entries(services.store)[-1]
    assert (entry["event"], entry["detail"]) == ("authenticator.renamed", {"name": "Work phone"})
    assert [kind for kind, _ in mails(services)] == ["credential_added"]
    assert prove(ada, code_of(seed)) == authenticator_id


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * 61, "a\0b", "a\nb", "a\N{RIGHT-TO-LEFT OVERRIDE}"]
)
def test_a_bad_name_is_refused(
    authenticators: Authenticators, services: Services, enrol: Enrol, ada: Account, name: str
) -> None:
    authenticator_id, _ = enrol(ada)
    before = contents(services.store)
    with pytest.raises(Invalid) as refusal:
        authenticators.rename(ada, authenticator_id, name, by(ada))
    assert refusal.value.field == "name"
    assert contents(services.store) == before


def test_a_bad_name_leaves_the_enrolment_as_it_was(
    authenticators: Authenticators, confirm: Confirm, ada: Account
) -> None:
    begun = authenticators.begin(ada, BROWSER, ORIGIN)
    with pytest.raises(Invalid):
        confirm(ada, begun.handle, code_of(begun.secret), "x" * 61)
    assert confirm(ada, begun.handle, code_of(begun.secret), "x" * 60) is not None


def test_what_is_removed_proves_nothing_and_its_person_is_told(
    authenticators: Authenticators, services: Services, enrol: Enrol, prove: Prove, ada: Account
) -> None:
    authenticator_id, seed = enrol(ada, "Lost phone")
    kept, _ = enrol(ada)
    authenticators.remove(ada, authenticator_id, by(ada))
    assert prove(ada, code_of(seed)) is None
    assert [one.id for one in authenticators.of(ada.id)] == [kept]
    entry = entries(services.store)[-1]
    assert (entry["event"], entry["detail"]) == ("authenticator.removed", {"name": "Lost phone"})
    kind, mail = mails(services)[-1]
    assert (kind, mail["to"]) == ("credential_removed", ADA.email)
    with pytest.raises(NotFound):
        authenticators.remove(ada, authenticator_id, by(ada))


def test_a_removal_shuts_out_who_got_in_with_it(
    authenticators: Authenticators,
    enrol: Enrol,
    ada: Account,
    webapp: TokenClient,
    browserless: Browserless,
) -> None:
    tokens = webapp.sign_in(browserless, "openid offline_access")
    assert webapp.active(tokens["access_token"])
    authenticator_id, _ = enrol(ada)
    authenticators.remove(ada, authenticator_id, by(ada))
    assert not webapp.active(tokens["access_token"])
    assert webapp.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_case_105_another_persons_authenticator_is_not_there(
    authenticators: Authenticators, services: Services, enrol: Enrol, ada: Account, grace: Account
) -> None:
    authenticator_id, _ = enrol(ada)
    before, recorded = contents(services.store), len(entries(services.store))
    for each in (authenticator_id, authenticator_id.upper(), "", "\0", "a" * 36):
        with pytest.raises(NotFound):
            authenticators.rename(grace, each, "Mine", by(grace))
        with pytest.raises(NotFound):
            authenticators.remove(grace, each, by(grace))
    assert contents(services.store) == before
    assert len(entries(services.store)) == recorded
    assert authenticators.of(grace.id) == []


@pytest.mark.parametrize("moved", ["the seed", "the row", "the seed of a second one"])
def test_case_113_a_seed_moved_to_another_row_is_no_seed(
    services: Services, enrol: Enrol, prove: Prove, ada: Account, grace: Account, moved: str
) -> None:
    victim, right = enrol(ada)
    other, seed = enrol(ada if moved == "the seed of a second one" else grace)
    sealed = select(ROWS.c.sealed_seed).where(ROWS.c.id == other).scalar_subquery()
    change = (
        update(ROWS).where(ROWS.c.id == other).values(account_id=ada.id)
        if moved == "the row"
        else update(ROWS).where(ROWS.c.id == victim).values(sealed_seed=sealed)
    )
    with services.store.writing() as connection:
        connection.execute(change)
    before = contents(services.store)
    if moved == "the row":
        assert prove(ada, code_of(seed)) is None
        assert contents(services.store) == before
        assert prove(ada, code_of(right)) == victim
    elif moved == "the seed":
        assert prove(ada, code_of(seed)) is None
        assert prove(ada, code_of(right)) is None
        assert contents(services.store) == before
    else:
        assert prove(ada, code_of(seed)) == other
        assert prove(ada, code_of(seed)) is None


def test_case_160_no_seed_can_be_read_in_a_dump(
    authenticators: Authenticators, enrol: Enrol, ada: Account, seeded: Seeded
) -> None:
    _, enrolled = enrol(ada)
    waiting = authenticators.begin(ada, BROWSER, ORIGIN).secret
    dump = seeded.database.dump().lower()
    for seed in (enrolled, waiting):
        assert seed.lower() not in dump
        assert seed.encode().hex() not in dump
        assert pyotp.TOTP(seed).byte_secret().hex() not in dump


@both_databases
def test_a_sign_in_and_a_removal_at_once_wait_for_each_other(
    authenticators: Authenticators, services: Services, enrol: Enrol, ada: Account
) -> None:
    """A sign-in goes on to write what refers to the account, which a removal holds meanwhile."""

    def both(authenticator_id: str, code: str) -> list[bool]:
        proven = threading.Barrier(2, timeout=30)

        def one(number: int) -> bool:
            if number:
                proven.wait()
                authenticators.remove(ada, authenticator_id, by(ada))
                return True
            with services.store.writing() as connection:
                found = authenticators.prove(connection, ada.id, code)
                proven.wait()
                services.sessions.find("somebody else's cookie")
                services.outbox.put(connection, "new_device", ADA.email, {}, account_id=ada.id)
            return found == authenticator_id

        return at_once(2, one)

    for _ in range(10):
        authenticator_id, seed = enrol(ada)
        assert both(authenticator_id, code_of(seed)) == [True, True]
    assert authenticators.of(ada.id) == []
