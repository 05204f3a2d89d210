"""What mails say: golden files of the plain part, and the other part in agreement with it."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from idp.domain.delivery import Unrenderable
from idp.domain.languages import LANGUAGES
from idp.web.mails import Mails
from idp.web.user_agents import describe
from tests.mail.samples import AT, FIREFOX, LINK, SAMPLES

GOLDEN = Path(__file__).parent / "golden"
TEMPLATES = Path(__file__).parents[2] / "templates" / "mail"
HOSTILE = '"><script>alert(1)</script>\r\n\r\nYour account is locked: https://evil.example/\r\n'
WRITE = bool(os.environ.get("DOORWARD_GOLDEN"))


class Read(HTMLParser):
    """The words, links and tags of a mail's other form."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._silent = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in {"style", "title"}
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._silent:
            self.words.append(" ".join(data.split()))


def test_every_kind_has_both_forms_and_a_sample() -> None:
    for suffix in ("html", "txt"):
        kinds = {path.stem for path in TEMPLATES.glob(f"*.{suffix}")} - {"layout"}
        assert kinds == set(SAMPLES)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_mail_says_this(mails: Mails, kind: str) -> None:
    words = mails.render(kind, "en", SAMPLES[kind])
    said = f"Subject: {words.subject}\n\n{words.text}"
    file = GOLDEN / f"{kind}.txt"
    if WRITE:
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", SAMPLES)
def test_both_forms_say_the_same(mails: Mails, kind: str) -> None:
    words = mails.render(kind, "en", SAMPLES[kind])
    read = Read(words.html)
    plain = [line.strip() for line in words.text.splitlines()]
    for line in filter(None, plain):
        for part in [line] if line in read.words else line.rstrip(":").split(": ", 1):
            assert part in [*read.words, *read.links, "--"], part
    assert set(read.links) == {line for line in plain if line.startswith("https://")}
    assert len(read.links) <= 1


@pytest.mark.parametrize("kind", SAMPLES)
def test_styles_are_in_the_tags_and_nothing_is_fetched(mails: Mails, kind: str) -> None:
    read = Read(mails.render(kind, "en", SAMPLES[kind]).html)
    classed = [attributes for _, attributes in read.tags if "class" in attributes]
    assert classed
    assert all(attributes.get("style") for attributes in classed)
    assert {tag for tag, _ in read.tags}.isdisjoint({"img", "script", "link", "iframe", "form"})
    text = mails.render(kind, "en", SAMPLES[kind]).html
    assert "url(" not in text
    assert "@import" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SAMPLES)
def test_every_language_can_be_spoken(mails: Mails, kind: str, language: str) -> None:
    words = mails.render(kind, language, SAMPLES[kind])
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in words.html
    assert words.subject.strip()
    assert "%(" not in words.subject + words.text + words.html
    if "code" in SAMPLES[kind]:
        assert "402917" in words.text
        assert LINK in words.text


def test_an_unknown_language_is_english(mails: Mails) -> None:
    sample = SAMPLES["mail_test"]
    english = mails.render("mail_test", "en", sample)
    for tag in (None, "", "tlh", "../en"):
        assert mails.render("mail_test", tag, sample) == english


@pytest.mark.parametrize("kind", ["no_such_kind", "layout", "../home", "parts/blocks", ""])
def test_there_are_no_words_for_what_is_no_kind(mails: Mails, kind: str) -> None:
    with pytest.raises(Unrenderable):
        mails.render(kind, "en", {})


@pytest.mark.parametrize("kind", SAMPLES)
def test_names_are_names_and_nothing_else(mails: Mails, kind: str) -> None:
    """Whoever names a passkey or an application writes no mail of their own."""
    sample = SAMPLES[kind]
    names = {"client", "name", "inviter", "new_email", "old", "new", "address"} & set(sample)
    words = mails.render(kind, "en", sample | dict.fromkeys(names, HOSTILE))
    assert "<script" not in words.html
    assert not re.search("[\r\n]", words.subject)
    assert not [line for line in words.text.splitlines() if line.startswith("Your account is l")]
    assert "evil" not in "".join(Read(words.html).links)
    if "product" in sample:
        assert mails.render(kind, "en", sample | {"product": HOSTILE}).subject.count("\n") == 0


@pytest.mark.parametrize(
    "agent",
    ["Visit https://evil.example/ bot", "evilexample/1.0", "<b>Firefox</b>", "x" * 100_000, ""],
)
def test_what_a_browser_calls_itself_is_not_repeated(mails: Mails, agent: str) -> None:
    sample = SAMPLES["sign_in_link"] | {"browser": agent}
    words = mails.render("sign_in_link", "en", sample)
    assert "evil" not in words.text + words.html
    assert "xxx" not in words.text
    assert "Asked from: " in words.text


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (FIREFOX, "Firefox on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari on iOS",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/130.0.0.0 Safari/537.36",
            "Chrome on Linux",
        ),
        ("curl/8.5", "an unknown browser"),
    ],
)
def test_a_known_browser_is_named(agent: str, said: str) -> None:
    assert describe(agent) == said


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        ({"client": ""}, "Sign in:", "Open the link to go on"),
        ({"minutes": 1}, "work for one minute", "minutes"),
    ],
)
def test_what_is_not_known_is_left_out(
    mails: Mails, changes: dict[str, object], said: str, unsaid: str
) -> None:
    text = mails.render("sign_in_link", "en", SAMPLES["sign_in_link"] | changes).text
    assert said in text
    assert unsaid not in text


def test_a_reset_is_told_from_a_change(mails: Mails) -> None:
    sample = SAMPLES["password_changed"]
    changed = mails.render("password_changed", "en", sample).text
    reset = mails.render("password_changed", "en", sample | {"reset": True}).text
    assert "with a link from a mail" in reset
    assert "with a link from a mail" not in changed
    assert sample["at"] == AT
