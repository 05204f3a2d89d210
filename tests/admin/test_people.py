"""Finding people and changing them: each deed with its entry, and what nobody may do."""

from collections.abc import Callable

import pytest

from idp.domain.accounts import Account
from idp.domain.assignments import Wanted
from idp.domain.audit import By
from idp.domain.errors import NotFound
from idp.domain.people import PAGE, MayNot, People
from idp.domain.services import Services
from idp.store import accounts as rows
from idp.store import people_search
from tests.abuse_browser.asking import signed_in
from tests.admin.conftest import Enter, Staff, form_to
from tests.support.browserless import Page
from tests.support.deployment import Deployment
from tests.support.factors import Factors, factors
from tests.support.held_clock import HeldClock
from tests.support.refusals import Refused, contents, entries, last_entry
from tests.support.seeds import ADA, GRACE, OPERATOR, ORIGIN
from tests.support.statements import counted

NOBODY = "0190a0a0-0000-7000-8000-000000000000"


def path_of(account: Account, *more: str) -> str:
    return "/".join(["/admin/people", account.id, *more])


@pytest.fixture
def hands(services: Services, clock: HeldClock, grace: Account) -> Factors:
    """Grace has a passkey, an app and recovery codes."""
    mine = factors(services, clock, grace.email).with_app().with_passkey()
    mine.recovery_codes()
    return mine


class TestSearch:
    """By the beginning of address or name."""

    @pytest.fixture
    def add(self, services: Services) -> Callable[..., None]:
        def deed(*people: tuple[str, str]) -> None:
            for email, name in people:
                services.accounts.add(email, name, origin=ORIGIN, actor=OPERATOR)

        return deed

    def emails(self, people: People, text: str) -> list[str]:
        return [one.email for one in people.search(text).people]

    @pytest.mark.every_database
    def test_what_is_found(self, services: Services, add: Callable[..., None]) -> None:
        add(
            ("zoe@example.test", "Émile Ünal"),
            ("100%@example.test", "100% Sure"),
            ("1000@example.test", "1000 Watt"),
            ("under_score@example.test", "x"),
            ("underXscore@example.test", "ada von Y"),
            ("GROSS@example.test", ""),
        )
        found = services.people
        assert self.emails(found, "ADA@") == [ADA.email]
        assert self.emails(found, "ada l") == [ADA.email]
        assert self.emails(found, "grace hop") == [GRACE.email]
        assert self.emails(found, "émile") == ["zoe@example.test"]
        assert self.emails(found, "É") == ["zoe@example.test"]
        assert self.emails(found, "100%") == ["100%@example.test"]
        assert self.emails(found, "under_") == ["under_score@example.test"]
        assert self.emails(found, "gross") == ["GROSS@example.test"]
        assert self.emails(found, "ada") == [ADA.email, "underXscore@example.test"]
        assert self.emails(found, "example") == []
        assert self.emails(found, "\\") == []
        assert self.emails(found, "\0\x1b\n") == self.emails(found, "")

    @pytest.mark.every_database
    def test_pages_have_everybody_once_in_one_order(
        self, services: Services, add: Callable[..., None]
    ) -> None:
        add(*((f"kim{number:03}@example.test", "") for number in range(PAGE + 5)))
        add(*((f"x{number:03}@example.test", "Kim Same") for number in range(PAGE + 5)))
        seen: list[str] = []
        after = "?"
        while after:
            found = services.people.search("kim", after)
            assert len(found.people) <= PAGE
            seen += [one.email for one in found.people]
            after = found.more
        assert len(seen) == len(set(seen)) == 2 * (PAGE + 5)
        assert seen[: PAGE + 5] == sorted(seen[: PAGE + 5])
        assert all(email.startswith("x") for email in seen[PAGE + 5 :])

    @pytest.mark.only_on("sqlite")
    def test_the_indexes_are_used(self, services: Services) -> None:
        ada = services.accounts.get(ADA.email).id
        with counted(services.store) as asked, services.store.engine.connect() as connection:
            people_search.by_email(connection, "ad", ada, 51)
            people_search.by_name(connection, ["ad", "Ad"], "ad", "", 51)
        assert len(asked) == 2
        with services.store.reading() as connection:
            for statement in asked:
                plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all())
                assert "USING INDEX" in plan, plan
                assert "SCAN" not in plan, plan

    def test_the_page(self, admin: Staff, services: Services) -> None:
        page = admin.get("/admin/people?q=grace")
        assert page.document.links[GRACE.email] == path_of(services.accounts.get(GRACE.email))
        assert ADA.email not in page.text
        page = admin.get("/admin/people?q=<script>alert(1)</script>")
        assert page.status == 200
        assert "<script>alert" not in page.response.text


class TestOnePerson:
    """What the page shows, and that looking is recorded."""

    def test_facts_and_credentials(self, admin: Staff, hands: Factors, services: Services) -> None:
        page = admin.get(path_of(hands.account))
        for words in (GRACE.email, GRACE.name, hands.account.subject, "10 left", "never used"):
            assert words in page.text, words
        assert page.text.count("Remove ") >= 3
        assert hands.secret not in page.response.text
        viewed = last_entry(services, "admin.viewed")
        assert (viewed["actor"], viewed["account_id"]) == (admin.actor, hands.account.id)

    def test_an_operator_sees_no_timeline_and_no_deeds(self, enter: Enter, hands: Factors) -> None:
        page = enter("operator").get(path_of(hands.account))
        assert "Timeline" not in page.text
        assert [form.action for form in page.document.forms if "/people/" in form.action] == []
        assert not any("remove" in url or "disable" in url for url in page.document.links.values())

    def test_an_auditor_sees_the_timeline(self, enter: Enter, hands: Factors) -> None:
        page = enter("auditor").get(path_of(hands.account))
        assert "passkey.added" in page.text
        assert "authenticator.added" in page.text

    @pytest.mark.parametrize("key", [NOBODY, GRACE.email, "x", "x" * 5000, "%00"])
    def test_case_136_unknown_people_are_not_found_and_it_is_recorded(
        self, admin: Staff, refused: Refused, key: str
    ) -> None:
        with refused("admin.viewed", times=1) as new:
            page = admin.get(f"/admin/people/{key}")
        assert page.status == 404
        assert new[0]["actor"] == admin.actor


class TestDeeds:
    """Each once, as its form does it."""

    def press(self, staff: Staff, page: Page, action: str, **values: str) -> Page:
        """Fill in and send the form to `action` that has all these fields."""
        for form in page.document.forms:
            names = {control.name for control in form.controls}
            if form.action == action and set(values) <= names:
                for control in form.controls:
                    control.value = values.get(control.name, control.value)
                buttons = [one for one in form.controls if one.button and one.name in values]
                return staff.browser.submit(page, next(iter(buttons), None), form)
        raise AssertionError(f"no form to {action} with {values} on {page}")

    def typed(self, staff: Staff, path: str, typed: str) -> Page:
        page = staff.get(path)
        form = next(each for each in page.document.forms if "typed" in str(each))
        form.named("typed").value = typed
        return staff.browser.submit(page, form=form)

    def test_disable_and_enable(
        self, admin: Staff, deployment: Deployment, services: Services, grace: Account
    ) -> None:
        theirs = signed_in(deployment)
        ada = services.accounts.get(ADA.email)
        before = contents(services.store)["accounts"]
        page = self.typed(admin, path_of(ada, "disable"), GRACE.email)
        assert page.status == 400
        assert "That is not the address of this account." in page.text
        assert contents(services.store)["accounts"] == before
        page = self.typed(admin, path_of(ada, "disable"), ADA.email.upper())
        assert page.url.endswith(f"{path_of(ada)}?done=disabled")
        assert "It is disabled" in page.text
        assert services.accounts.get(ada.id).disabled
        assert theirs.get("/").title.startswith("Welcome")
        entry = last_entry(services, "account.disabled")
        assert (entry["actor"], entry["outcome"]) == (admin.actor, "done")
        page = self.press(admin, page, path_of(ada, "enable"))
        assert not services.accounts.get(ada.id).disabled
        assert last_entry(services, "account.enabled")["actor"] == admin.actor

    def test_roles_and_groups(self, admin: Staff, services: Services, grace: Account) -> None:
        page = admin.get(path_of(grace))
        page = self.press(admin, page, path_of(grace, "grant"), role="auditor")
        page = self.press(admin, page, path_of(grace, "grant"), group="staff")
        found = services.accounts.get(grace.id)
        assert (set(found.roles), set(found.groups)) == ({"auditor"}, {"staff"})
        assert "no second factor yet" in page.text
        again = self.press(admin, page, path_of(grace, "grant"), role="auditor")
        assert again.status == 409
        assert "has auditor already" in again.text
        wrong = self.press(admin, page, path_of(grace, "grant"), role="No Role")
        assert wrong.status == 400
        assert admin.post(path_of(grace, "grant")).status == 400
        page = self.press(admin, page, path_of(grace, "revoke"), role="auditor")
        page = self.press(admin, page, path_of(grace, "revoke"), group="staff")
        found = services.accounts.get(grace.id)
        assert not found.roles | found.groups
        told = [
            (entry["event"], entry["detail"]["name"])
            for entry in entries(services.store)
            if entry["actor"] == admin.actor and entry["event"].startswith(("role.", "group."))
            if entry["outcome"] == "done"
        ]
        assert sorted(told) == [
            ("group.added", "staff"),
            ("group.joined", "staff"),
            ("group.left", "staff"),
            ("role.granted", "auditor"),
            ("role.revoked", "auditor"),
        ]

    def test_sessions(self, admin: Staff, deployment: Deployment, services: Services) -> None:
        browsers = [signed_in(deployment) for _ in range(3)]
        ada = services.accounts.get(ADA.email)
        (first, *_rest) = services.sessions.of(ada.id)
        action = path_of(ada, "sessions", "end")
        page = self.press(admin, admin.get(path_of(ada)), action, session=first.id)
        assert "The session has ended." in page.text
        assert first.id not in {one.id for one in services.sessions.of(ada.id)}
        assert len(services.sessions.of(ada.id)) == 2
        assert last_entry(services, "session.ended")["actor"] == admin.actor
        page = self.press(admin, page, action)
        assert services.sessions.of(ada.id) == []
        assert all(browser.get("/").title.startswith("Welcome") for browser in browsers)
        assert len(services.sessions.of(admin.account.id)) == 1

    def test_case_136_somebody_elses_session(
        self, admin: Staff, deployment: Deployment, services: Services, grace: Account
    ) -> None:
        signed_in(deployment)
        (session,) = services.sessions.of(services.accounts.get(ADA.email).id)
        for given in (session.id, NOBODY, "x" * 400):
            before = contents(services.store)["sessions"]
            page = admin.post(path_of(grace, "sessions", "end"), session=given)
            assert page.status == 404
            assert contents(services.store)["sessions"] == before
            entry = last_entry(services, "session.ended")
            assert (entry["outcome"], entry["account_id"]) == ("refused", grace.id)

    @pytest.mark.parametrize("kind", ["passkey", "authenticator", "recovery_codes"])
    def test_a_lost_credential(
        self, admin: Staff, hands: Factors, services: Services, kind: str
    ) -> None:
        grace = hands.account
        every: dict[str, Callable[[], list[str]]] = {
            "passkey": lambda: [one.id for one in services.passkeys.of(grace.id)],
            "authenticator": lambda: [one.id for one in services.authenticators.of(grace.id)],
            "recovery_codes": lambda: ["all"] * bool(services.recovery_codes.left(grace.id)),
        }
        found = every[kind]
        (credential_id,) = found()
        path = path_of(grace, kind, credential_id, "remove")
        assert path in admin.get(path_of(grace)).document.links.values()
        assert self.typed(admin, path, "grace").status == 400
        assert found()
        page = self.typed(admin, path, GRACE.email)
        assert "Its person gets a mail" in page.text
        assert not found()
        entry = last_entry(services, f"{kind}.removed")
        assert (entry["actor"], entry["account_id"]) == (admin.actor, grace.id)
        mail = services.outbox.latest(1)[0]
        assert (mail.kind, mail.to, mail.values["factor"]) == (
            "credential_removed",
            GRACE.email,
            kind,
        )

    @pytest.mark.parametrize("kind", ["passkey", "authenticator"])
    def test_case_136_somebody_elses_credential(
        self, admin: Staff, hands: Factors, services: Services, kind: str
    ) -> None:
        ada = services.accounts.get(ADA.email)
        of = services.passkeys.of if kind == "passkey" else services.authenticators.of
        theirs = of(hands.account.id)[0].id
        for given in (theirs, NOBODY, "x"):
            path = path_of(ada, kind, given, "remove")
            page = admin.post(path, typed=ADA.email)
            assert page.status == 404
            entry = last_entry(services, f"{kind}.removed")
            assert (entry["outcome"], entry["account_id"]) == ("refused", ada.id)
        assert len(of(hands.account.id)) == 1
        assert admin.post(path_of(ada, "password", "x", "remove"), typed=ADA.email).status == 404


@pytest.mark.settings(sign_up="invitation", development=True)
class TestInvitations:
    """Inviting from the console."""

    def test_one_is_mailed(self, admin: Staff, services: Services) -> None:
        page = admin.get("/admin/people/invite")
        form = next(each for each in page.document.forms if "roles" in str(each))
        form.named("email").value = "new@example.test"
        form.named("groups").value = "staff, night"
        page = admin.browser.submit(page, form=form)
        assert "The invitation is on its way." in page.text
        entry = last_entry(services, "invitation.sent")
        assert (entry["actor"], entry["outcome"]) == (admin.actor, "done")
        mail = services.outbox.latest(1)[0]
        assert (mail.kind, mail.to) == ("invitation", "new@example.test")

    def test_what_is_wrong_is_said(self, admin: Staff) -> None:
        page = admin.post("/admin/people/invite", email="nonsense")
        assert (page.status, page.title[:6]) == (400, "Error:")
        assert "That is not an email address." in page.text
        page = admin.post("/admin/people/invite", email=GRACE.email)
        assert "already" in page.text


@pytest.mark.settings(sign_up="invitation")
def test_without_mail_the_link_is_shown_once(admin: Staff, services: Services) -> None:
    page = admin.post("/admin/people/invite", email="new@example.test")
    assert f"{services.settings.issuer}/invitation/" in page.text


def test_where_nobody_is_invited_there_is_no_form(admin: Staff) -> None:
    assert admin.get("/admin/people/invite").status == 404
    assert "Invite somebody" not in admin.get("/admin/people").text


@pytest.mark.every_database
def test_the_last_administrator_stays(admin: Staff, services: Services, enter: Enter) -> None:
    path = path_of(admin.account)
    page = admin.post(f"{path}/revoke", role="administrator")
    assert page.status == 409
    assert "is the last administrator" in page.text
    page = admin.post(f"{path}/disable", typed=admin.account.email)
    assert page.status == 400
    assert "You can’t disable yourself." in page.text
    assert "administrator" in admin.account.roles
    assert not admin.account.disabled
    assert last_entry(services, "role.revoked")["outcome"] == "refused"
    other = enter("administrator", email="other@staff.example.test")
    page = other.post(f"{path}/disable", typed=admin.account.email)
    assert services.accounts.get(admin.account.id).disabled
    assert other.post(f"{path_of(other.account)}/revoke", role="administrator").status == 409


def hand_on(services: Services, staff: Staff, role: str) -> None:
    """Give somebody a role that they may give on."""
    by = By(OPERATOR, ORIGIN)
    services.roles.add(role, "", by)
    services.assignments.give("account", staff.account.email, Wanted(role, grantable=(role,)), by)


class TestDelegation:
    """SECURITY case 138: whoever is let in by a policy of the operator's stays below privileged
    people, and gives away no more than they have.
    """

    @pytest.fixture
    def helper(self, services: Services, enter: Enter) -> Staff:
        """Somebody who is no administrator, and may give on what they have."""
        helper = enter(groups=("helpdesk",), email="librarian@staff.example.test")
        hand_on(services, helper, "librarian")
        return helper

    def test_case_138_nobody_gives_more_than_they_have(
        self, helper: Staff, services: Services, grace: Account, refused: Refused
    ) -> None:
        people, by = services.people, helper.by
        for roles in (["administrator"], ["operator"], ["auditor"], ["clerk"]):
            with refused("role.granted", times=1), pytest.raises(MayNot):
                people.grant(grace.id, roles=roles, by=by)
        with refused("group.joined", times=1), pytest.raises(MayNot):
            people.grant(grace.id, groups=["board"], by=by)
        people.grant(grace.id, roles=["librarian"], by=by)
        people.grant(grace.id, groups=["helpdesk"], by=by)
        with refused("group.joined", times=0), pytest.raises(MayNot):
            people.grant(grace.id, roles=["librarian"], groups=["board"], by=by)

    def test_case_138_a_privileged_role_is_no_ones_to_give_but_an_administrators(
        self, services: Services, enter: Enter, grace: Account, refused: Refused
    ) -> None:
        holder = enter("auditor")
        hand_on(services, holder, "librarian")
        with refused("role.granted", times=1), pytest.raises(MayNot):
            services.people.grant(grace.id, roles=["auditor"], by=holder.by)
        assert services.people.grant(grace.id, roles=["librarian"], by=holder.by).roles

    @pytest.mark.parametrize("role", ["administrator", "operator", "auditor"])
    def test_case_138_privileged_people_are_changed_by_administrators_alone(
        self,
        admin: Staff,
        helper: Staff,
        services: Services,
        clock: HeldClock,
        refused: Refused,
        role: str,
    ) -> None:
        target = services.accounts.add(
            "target@example.test", roles=[role, "librarian"], origin=ORIGIN, actor=OPERATOR
        )
        factors(services, clock, target.email).with_app()
        (app,) = services.authenticators.of(target.id)
        people, by = services.people, helper.by
        deeds: dict[str, Callable[[], object]] = {
            "account.disabled": lambda: people.disable(target.id, target.email, by),
            "account.enabled": lambda: people.enable(target.id, by),
            "role.granted": lambda: people.grant(target.id, roles=["librarian"], by=by),
            "role.revoked": lambda: people.revoke(target.id, roles=["librarian"], by=by),
            "session.ended": lambda: people.end_sessions(target.id, by),
            "authenticator.removed": lambda: people.remove(
                target.id, "authenticator", app.id, target.email, by
            ),
        }
        for event, deed in deeds.items():
            with refused(event, times=1), pytest.raises(MayNot):
                deed()
        assert not people.changeable(target, by)
        assert people.changeable(target, admin.by)
        people.remove(target.id, "authenticator", app.id, target.email, admin.by)
        assert services.authenticators.of(target.id) == []

    def test_case_138_the_helpdesk_of_an_operator_is_held_to_it(
        self, services: Services, helper: Staff, admin: Staff, grace: Account
    ) -> None:
        people, by = services.people, helper.by
        people.disable(grace.id, GRACE.email, by)
        people.enable(grace.id, by)
        with pytest.raises(MayNot):
            people.disable(admin.account.id, admin.account.email, by)
        with pytest.raises(NotFound):
            people.disable(NOBODY, GRACE.email, by)

    def test_case_137_what_no_form_has_is_ignored(
        self, admin: Staff, services: Services, grace: Account
    ) -> None:
        fields = {
            "role": "librarian",
            "roles": "administrator",
            "is_admin": "1",
            "email_verified": "0",
            "subject": "mine",
            "account_id": services.accounts.get(ADA.email).id,
            "actor": "server",
        }
        admin.post(path_of(grace, "grant"), **fields)
        found = services.accounts.get(grace.id)
        assert found.roles == {"librarian"}
        assert (found.subject, found.email_verified) == (grace.subject, True)
        assert services.accounts.get(ADA.email).roles == set()
        assert last_entry(services, "role.granted")["actor"] == admin.actor


def test_names_of_people_are_text(admin: Staff, services: Services, grace: Account) -> None:
    """A name is checked when it is given; one that is in the database anyway is still no markup."""
    with services.store.writing() as connection:
        rows.change(connection, grace.id, {"name": '"><script>alert(1)</script>'})
    for path in ("/admin/people", path_of(grace), path_of(grace, "disable")):
        assert "<script>alert" not in admin.get(path).response.text


def test_a_form_of_another_page_is_not_taken(admin: Staff, services: Services) -> None:
    ada = services.accounts.get(ADA.email)
    page = admin.browser.post(path_of(ada, "disable"), {"typed": ADA.email}, admin.browser.origin)
    assert page.status == 400
    assert not services.accounts.get(ada.id).disabled
    assert form_to(admin.get(path_of(ada)), path_of(ada, "grant"))
