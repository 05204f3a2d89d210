"""What can be told from the markup alone, for every sample of every page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from .account_samples import STATES
from .samples import HOSTILE, SAMPLES

ROOT = Path(__file__).parents[2]
NAMES = sorted(SAMPLES)
Attributes = dict[str, str | None]
# Contexts cut down to what a page cannot do without.
BARE = {
    "sign_in.html": {"action": "/x"},
    "password.html": {"action": "/x", "identifier": "ada"},
    "protocol_error.html": {"heading": None, "user_text": "Sorry."},
    "error.html": {"status": 500, "title": "No", "message": "Sorry."},
    "wrong_address.html": {"opened": "http://a", "expected": "http://b"},
    "signed_out.html": {},
    "home.html": {"sign_in_url": "/x"},
    "handover.html": {"client": {"name": "Notes"}, "action": "/x", "fields": {}},
    "dev/mails.html": {},
    "forbidden.html": {"switch_url": "/x", "sentence": "Sorry."},
    "other_ways.html": {"cancel_url": "/x"},
    "forgot.html": {"action": "/x"},
    "new_password.html": {"action": "/x", "email": "ada@example.org", "min_length": 15},
    "sign_up.html": {"action": "/x", "sign_in_url": "/x"},
    "administrator.html": {"action": "/x", "min_length": 12},
    "error_help.html": {},
    "playground/start.html": {"action": "/x"},
    "playground/callback.html": {"action": "/x"},
    "playground/tokens.html": {"action": "/x"},
}
NEVER_BARE = {
    "leaving.html",
    "authenticator_code.html",
    "choose_account.html",
    "consent.html",
    "dev/mail.html",
    "enrol.html",
    "enrol_authenticator.html",
    "magic_link.html",
    "magic_link_sent.html",
    "mailed.html",
    "mailed_disowned.html",
    "mailed_elsewhere.html",
    "mailed_over.html",
    "name_passkey.html",
    "new_account.html",
    "offer_passkey.html",
    "open_application.html",
    "passkey.html",
    "recovery_code.html",
    "recovery_codes.html",
    "sign_out.html",
    "switch_account.html",
    "not_permitted.html",
    *(f"account/{template}.html" for template, _ in STATES.values()),
    # Each has the console around it, and lists of something.
    *(
        sample.template
        for sample in SAMPLES.values()
        if sample.template.startswith(("admin/", "developer/"))
    ),
}
FRAMES = {"document.html", "shell.html", "wide.html", "console.html", "playground/frame.html"}
UNSEEN = {"check_session.html"}
"""Applications frame it, and people never see it."""


class Markup(HTMLParser):
    """The start tags of a page, its title and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Attributes]] = []
        self.text: dict[str, str] = {"title": "", "script": "", "style": ""}
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = tag

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open in self.text:
            self.text[self.open] += data

    def all(self, tag: str, **wanted: str) -> list[Attributes]:
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and wanted.items() <= attributes.items()
        ]


FOREIGN = re.compile("/oauth2/|^https://")


def look(gallery: Flask, name: str) -> Markup:
    response = gallery.test_client().get(f"/pages/{name}")
    assert response.status_code == 200
    return Markup(response.text)


def test_every_template_has_a_sample() -> None:
    # Mails are no pages: mail readers show them, and tests/mail holds them to golden files.
    files = {
        str(path.relative_to(ROOT / "templates"))
        for path in (ROOT / "templates").rglob("*.html")
        if path.parent.name != "parts" and path.parts[-2] != "mail"
    }
    assert {sample.template for sample in SAMPLES.values()} == files - FRAMES - UNSEEN
    assert set(BARE) | NEVER_BARE | FRAMES | UNSEEN == files


@pytest.mark.parametrize("template", sorted(BARE))
def test_a_page_renders_with_the_least_it_needs(gallery: Flask, template: str) -> None:
    with gallery.test_request_context():
        text = gallery.jinja_env.get_template(template).render(BARE[template])
    assert text.count("<h1>") == 1
    assert "None" not in text


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_inline(gallery: Flask, name: str) -> None:
    page = look(gallery, name)
    assert page.text["script"] == ""
    assert not page.all("style")
    for _, attributes in page.tags:
        assert not [key for key in attributes if key == "style" or key.startswith("on")]


@pytest.mark.parametrize("name", [name for name in NAMES if "hostile" in name])
def test_hostile_values_stay_text(gallery: Flask, name: str) -> None:
    text = gallery.test_client().get(f"/pages/{name}").text
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    for tag, attributes in Markup(text).tags:
        assert (tag, attributes.get("src")) != ("img", "x")
        for key in ("href", "src", "action"):
            assert not re.match(r"\s*(javascript|data|vbscript):", attributes.get(key) or "")


@pytest.mark.parametrize("name", NAMES)
def test_the_head_and_the_forms(gallery: Flask, name: str) -> None:
    page = look(gallery, name)
    assert page.all("html", lang="ar" if "rtl" in name else "en")
    assert page.all("meta", name="robots", content="noindex, nofollow")
    assert page.text["title"].endswith(" – Doorward")
    tokens = page.all("input", name="csrf_token", value="sample-token")
    # What goes to an application, or from one to us, carries no token of our pages.
    posted = page.all("form", method="post")
    ours = [form for form in posted if not FOREIGN.search(form["action"] or "")]
    assert len(tokens) == len(ours)
    assert len(posted) + len(page.all("form", method="get")) == len(page.all("form"))
    identities = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identities) == len(set(identities))


@pytest.mark.parametrize("name", NAMES)
def test_a_title_says_error_when_there_is_one(gallery: Flask, name: str) -> None:
    context = SAMPLES[name].context
    wrong = "error" in name or name.startswith("wrong") or context.get("error")
    wrong = wrong or context.get("errors")
    word = "خطأ: " if "rtl" in name else "Error: "
    assert look(gallery, name).text["title"].startswith(word) is bool(wrong)


def test_the_identifier_field_is_what_passkeys_and_phones_expect(gallery: Flask) -> None:
    [field] = look(gallery, "sign-in").all("input", id="identifier")
    assert field["name"] == "identifier"
    assert field["autocomplete"] == "username webauthn"
    assert field["autocapitalize"] == "none"
    assert field["spellcheck"] == "false"
    assert look(gallery, "sign-in").text["title"] == "Sign in – Doorward"


def test_password_managers_find_the_account(gallery: Flask) -> None:
    page = look(gallery, "password")
    [account] = page.all("input", autocomplete="username")
    assert account["value"] == "ada@example.org"
    assert account["type"] == "text"
    [password] = page.all("input", autocomplete="current-password")
    assert password["name"] == "password"
    [new] = look(gallery, "administrator").all("input", autocomplete="new-password")
    assert new["name"] == "password"


def test_an_error_belongs_to_its_field_and_is_read_out(gallery: Flask) -> None:
    for name, field in (("sign-in-error", "identifier"), ("password-error", "password")):
        page = look(gallery, name)
        [problem] = page.all("div", role="alert")
        [attributes] = page.all("input", id=field)
        assert attributes["aria-invalid"] == "true"
        assert attributes["aria-describedby"] == problem["id"]
    [email] = look(gallery, "administrator-errors").all("input", id="email")
    assert email["aria-describedby"] == "email-error"


def test_decisions_have_the_values_that_the_server_reads(gallery: Flask) -> None:
    decisions = {
        "consent": ["cancel", "allow"],
        "switch-account": ["cancel", "switch"],
        "sign-out": ["stay", "sign_out"],
    }
    for name, values in decisions.items():
        buttons = look(gallery, name).all("button", name="decision")
        assert [button["value"] for button in buttons] == values
    for name, values in {"account": ["1", "2", "another"], "forget": ["2"]}.items():
        buttons = look(gallery, "choose-account").all("button", name=name)
        assert [button["value"] for button in buttons] == values


def test_an_error_without_a_field_is_told_too(gallery: Flask) -> None:
    with gallery.test_request_context():
        template = gallery.jinja_env.get_template("administrator.html")
        text = template.render(action="/x", min_length=12, errors={"": "The link was used."})
    assert "The link was used." in text


def test_a_reauthentication_says_why_and_keeps_the_account(gallery: Flask) -> None:
    text = gallery.test_client().get("/pages/password-fresh").text
    assert "<h1>Confirm it’s you</h1>" in text
    assert "asks for your password again" in text
    assert ">Change<" not in text


def test_the_developer_half_opens_in_development_only(gallery: Flask) -> None:
    assert "open" in look(gallery, "protocol-error").all("details")[0]
    assert "open" not in look(gallery, "protocol-error-public").all("details")[0]


def test_links_of_a_client_are_web_addresses_in_a_new_tab(gallery: Flask) -> None:
    assert not look(gallery, "consent-hostile").all("a", target="_blank")
    links = look(gallery, "consent").all("a", target="_blank")
    assert len(links) == 3
    assert {link["rel"] for link in links} == {"noopener noreferrer nofollow"}


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (1, "in a second."),
        (59, "in 59 seconds."),
        (60, "in a minute."),
        (61, "in 2 minutes."),
        (240, "in 4 minutes."),
    ],
)
def test_the_time_to_wait_is_told_in_words(gallery: Flask, seconds: int, sentence: str) -> None:
    with gallery.test_request_context():
        template = gallery.jinja_env.get_template("error.html")
        text = template.render(status=429, title="Too many tries", retry_after=seconds)
    assert f"You can try again {sentence}" in text
