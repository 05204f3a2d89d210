"""Every state that an interaction can be in: how a browser gets there, whose turn it is then, and
what goes on from there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urljoin

import requests

from idp.domain.services import Services
from idp.web.routes import ROUTES, Route
from tests.abuse_browser.asking import LOGOUT, at_password, signed_in
from tests.factors.test_enrolling import code_for
from tests.support.application import ISSUER
from tests.support.browserless import Browserless, Page
from tests.support.by_mail import latest
from tests.support.deployment import Deployment
from tests.support.factors import Factors, factors, options, start_of
from tests.support.held_clock import HeldClock
from tests.support.seeds import ADA, OPERATOR, ORIGIN

NEWCOMER = "nora@example.test"
NEW_PASSWORD = "seven green bottles on the wall"
TWO = "urn:doorward:acr:two-factor"
ESSENTIAL = f'{{"id_token": {{"acr": {{"essential": true, "values": ["{TWO}"]}}}}}}'
NO_TOKEN = "A" * 43
SETTINGS = {
    "network_limit": 100_000,
    "sign_up": "open",
    "smtp_url": "smtp://127.0.0.1:1?tls=off",
    "policies_dir": str(Path(__file__).parent / "policies"),
}
PAGES: Mapping[str, Route] = {
    route.view.__name__: route
    for route in ROUTES
    if route.path.startswith(("/interaction/<handle>", "/mail/<token>"))
}
"""Every page of an interaction by its endpoint: a new row of the table is among them."""

Fields = Mapping[str, str]
Sent = list[requests.PreparedRequest]


@dataclass
class Kit:
    """A server, and what Ada has in her hands. `sent` is every form that a browser sent."""

    deployment: Deployment
    services: Services
    clock: HeldClock
    sent: Sent = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ada: Factors = factors(self.services, self.clock, ADA.email)
        new_http = self.deployment.new_http

        def recording() -> requests.Session:
            http = new_http()
            http.hooks["response"].append(self._record)
            return http

        self.deployment = replace(self.deployment, new_http=recording)

    def _record(self, answer: requests.Response, *_: object, **__: object) -> None:
        if answer.request.method == "POST":
            self.sent.append(answer.request)

    def start(self, browser: Browserless, scope: str = "openid email", **changes: str) -> Page:
        """Open an authorization request."""
        return browser.start(self.deployment.client("webapp").authorization(scope, **changes))


@dataclass
class At:
    """A browser in a state: at which page, and with which mailed token."""

    browser: Browserless
    page: Page
    token: str = NO_TOKEN

    def __post_init__(self) -> None:
        self.start = start_of(self.page)

    def url(self, endpoint: str) -> str:
        """Return where a page of this interaction is."""
        path = PAGES[endpoint].path.replace("/interaction/<handle>", self.start)
        return urljoin(self.browser.origin, path.replace("<token>", self.token))


def form_token(page: Page) -> str:
    """Return the form token of a page."""
    return [*page.document.forms, *page.document.menus][0].named("csrf_token").value


def post(at: At, endpoint: str, fields: Fields) -> Page:
    """Send a form from the page of the state, and follow where it leads."""
    token = {"csrf_token": form_token(at.page)}
    return at.browser.post(at.url(endpoint), {**token, **fields}, at.page.url)


def nobody(kit: Kit) -> At:
    browser = kit.deployment.browserless()
    return At(browser, kit.start(browser))


def visit(kit: Kit) -> At:
    browser = kit.deployment.browserless()
    return At(browser, browser.get("/sign-in"))


def named(kit: Kit) -> At:
    at = nobody(kit)
    at.page = at_password(at.browser, at.page)
    return at


def second_missing(kit: Kit) -> At:
    kit.ada.with_app()
    at = named(kit)
    at.page = at.browser.answer(at.page)
    return at


def mail_pending(kit: Kit) -> At:
    at = named(kit)
    at.page = post(at, "magic_link", {"decision": "send"})
    return _mailed(kit, at)


def _mailed(kit: Kit, at: At) -> At:
    at.token = str(latest(kit.services).values["link"]).rpartition("/")[2]
    return at


def code(kit: Kit) -> str:
    return str(latest(kit.services).values["code"])


def mail_and_second_missing(kit: Kit) -> At:
    kit.ada.with_app()
    at = mail_pending(kit)
    at.page = post(at, "magic_link", {"code": code(kit)})
    return at


def reset_pending(kit: Kit) -> At:
    at = named(kit)
    at.page = post(at, "forgot", {"identifier": ADA.email})
    return _mailed(kit, at)


def reset_proven(kit: Kit) -> At:
    at = reset_pending(kit)
    at.page = post(at, "magic_link", {"code": code(kit)})
    return at


def sign_up_pending(kit: Kit) -> At:
    browser = kit.deployment.browserless()
    at = At(browser, kit.start(browser, prompt="create"))
    at.page = post(at, "sign_up", {"identifier": NEWCOMER})
    return _mailed(kit, at)


def sign_up_proven(kit: Kit) -> At:
    at = sign_up_pending(kit)
    at.page = post(at, "mailed", {"decision": "confirm"})
    return at


def passkey_offered(kit: Kit) -> At:
    at = sign_up_proven(kit)
    made = {"name": "Nora", "password": NEW_PASSWORD, "passkeys": "yes"}
    at.page = post(at, "new_account", made)
    kit.sent.clear()  # what its second click may do is the business of "sign-up proven"
    return at


def passkey_made(kit: Kit) -> At:
    at = passkey_offered(kit)
    asked = options(at.browser, at.page, "passkey/offer/options")
    at.page = post(at, "offer_passkey", {"response": kit.ada.device.create(asked, ISSUER)})
    return at


def enrolment_due(kit: Kit) -> At:
    browser = kit.deployment.browserless()
    page = at_password(browser, kit.start(browser, claims=ESSENTIAL))
    return At(browser, browser.answer(page))


def enrolling(kit: Kit) -> At:
    at = enrolment_due(kit)
    at.page = post(at, "enrol", {"decision": "authenticator"})
    return at


def codes_offered(kit: Kit) -> At:
    at = second_missing(kit)
    typed = kit.ada.recovery_codes()[0]
    at.page = post(at, "recovery_code", {"code": typed})
    return at


def codes_shown(kit: Kit) -> At:
    at = codes_offered(kit)
    post(at, "save_codes", {})
    return at


def fresh(kit: Kit) -> At:
    browser = signed_in(kit.deployment)
    return At(browser, kit.start(browser, prompt="login"))


def deed(kit: Kit) -> At:
    """Something in the console that needs a sign-in just now."""
    browser = signed_in(kit.deployment)
    kit.clock.advance(601)
    return At(browser, browser.get("/account/security/password"))


def chooser(kit: Kit) -> At:
    browser = signed_in(kit.deployment)
    return At(browser, kit.start(browser, prompt="select_account"))


def consent(kit: Kit) -> At:
    at = named(kit)
    at.page = at.browser.answer(at.page)
    return at


def join(kit: Kit, group: str) -> None:
    kit.services.memberships.grant(ADA.email, groups=[group], origin=ORIGIN, actor=OPERATOR)


def forbidden(kit: Kit) -> At:
    join(kit, "shut-out")
    return consent(kit)


def enrolment_forbidden(kit: Kit) -> At:
    join(kit, "makes-nothing")
    return enrolment_due(kit)


def sign_out(kit: Kit) -> At:
    browser = signed_in(kit.deployment)
    return At(browser, browser.get(LOGOUT, {"client_id": "webapp"}))


def finished(kit: Kit) -> At:
    at = consent(kit)
    at.browser.finish(at.page)
    return at


def expired(kit: Kit) -> At:
    at = consent(kit)
    kit.clock.advance(kit.services.settings.interaction_lifetime)
    at.browser.get("/")
    return at


Step = Callable[[Kit, At], tuple[str, Fields]]
_ADDRESS = frozenset({"sign_in", "password", "magic_link", "forgot", "sign_up"})
_FIRST = _ADDRESS | {"other_ways", "passkey", "passkey_options"}
_AGAIN = frozenset({"password", "other_ways", "magic_link", "forgot"})
_SECOND = frozenset({"second_factor", "authenticator_code", "other_ways"})
_ENROL = frozenset({"enrol", "enrol_authenticator", "enrol_passkey", "enrol_passkey_options"})
_ALLOWING = frozenset({"consent", "switch"})
_CODES = frozenset({"save_codes", "consent", "switch"})


@dataclass(frozen=True)
class State:
    """How to get there, the endpoints whose turn it is, and the form that goes on, if any does."""

    build: Callable[[Kit], At]
    turn: frozenset[str]
    on: Step | None = None


def step(endpoint: str, **fields: str) -> Step:
    """Return a step that needs nothing of the state."""
    return lambda kit, at: (endpoint, fields)


def _app_code(kit: Kit, at: At) -> tuple[str, Fields]:
    return "authenticator_code", {"code": kit.ada.next_code()}


def _first_code(kit: Kit, at: At) -> tuple[str, Fields]:
    return "enrol_authenticator", {"code": code_for(at.page, kit.clock)}


def _mailed_code(kit: Kit, at: At) -> tuple[str, Fields]:
    return "magic_link", {"code": code(kit)}


def _chosen(kit: Kit, at: At) -> tuple[str, Fields]:
    return "choose_account", {"account": kit.ada.account.id}


_PASSWORD = step("password", password=ADA.password)
_NAME = step("sign_in", identifier=ADA.email)
_NEW = step("new_password", password=NEW_PASSWORD)
_MADE = step("new_account", name="Nora", password=NEW_PASSWORD)
_SWITCH = step("switch", decision="switch")
_ALLOW = step("consent", decision="allow")
STATES: Mapping[str, State] = {
    "nobody": State(nobody, _FIRST, _NAME),
    "a visit of ours": State(visit, _FIRST, _NAME),
    "named": State(named, _FIRST, _PASSWORD),
    "password, second missing": State(second_missing, _SECOND, _app_code),
    "mail, second missing": State(mail_and_second_missing, _SECOND, _app_code),
    "mail pending": State(mail_pending, _FIRST | {"mailed"}, _mailed_code),
    "mail pending, by link": State(mail_pending, _FIRST | {"mailed"}, step("mailed")),
    "reset pending": State(reset_pending, _FIRST | {"mailed"}, _mailed_code),
    "reset proven": State(reset_proven, _FIRST | {"new_password"}, _NEW),
    "sign-up pending": State(sign_up_pending, _ADDRESS | {"mailed"}, step("mailed")),
    "sign-up proven": State(sign_up_proven, _ADDRESS | {"new_account"}, _MADE),
    "passkey offered": State(
        passkey_offered,
        _ALLOWING | {"offer_passkey", "offered_passkey_options"},
        step("offer_passkey", decision="later"),
    ),
    "passkey made": State(
        passkey_made, _ALLOWING | {"name_passkey"}, step("name_passkey", name="Phone")
    ),
    "enrolment due": State(enrolment_due, _ENROL, step("enrol", decision="authenticator")),
    "enrolling": State(enrolling, _ENROL, _first_code),
    "codes offered": State(codes_offered, _CODES, step("save_codes")),
    "codes shown": State(codes_shown, _CODES, _ALLOW),
    "fresh": State(fresh, _AGAIN, _PASSWORD),
    "a deed": State(deed, _AGAIN, _PASSWORD),
    "chooser": State(chooser, frozenset({"choose_account"}), _chosen),
    "consent": State(consent, _ALLOWING, _ALLOW),
    "forbidden": State(forbidden, frozenset({"switch"}), _SWITCH),
    "enrolment forbidden": State(enrolment_forbidden, _ENROL | {"switch"}, _SWITCH),
    "sign-out": State(sign_out, frozenset({"sign_out"}), step("sign_out", decision="sign_out")),
    "finished": State(finished, frozenset()),
    "expired": State(expired, frozenset()),
}
