"""Every language says all there is to say, and nothing else."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from tests.house import catalogs, sources

PLACES = re.compile(r"%\([a-z_]+\)[sd]|%%|\{[a-z]+\}|</?[a-z][^>]*>")
"""What a translation has to keep: places for values, and markup."""
MESSAGES = catalogs.contents(catalogs.collected())
VOID = frozenset({"meta", "link", "input", "img", "br", "hr"})
SPOKEN = frozenset({"alt", "aria-label", "placeholder", "title"})
NAMES = frozenset({"PNG", "SVG", "TXT"})


def kept(text: str) -> list[str]:
    return sorted(PLACES.findall(text))


@pytest.mark.parametrize("language", catalogs.TRANSLATED)
def test_a_catalog_has_the_messages_that_there_are(language: str) -> None:
    present = set(catalogs.contents(catalogs.catalog_of(language)))
    assert set(MESSAGES) - present == set(), "missing: run `make translations`"
    assert present - set(MESSAGES) == set(), "stale: run `make translations`"


@pytest.mark.parametrize("language", catalogs.TRANSLATED)
def test_every_message_is_translated(language: str) -> None:
    catalog = catalogs.catalog_of(language)
    for message, said in catalogs.contents(catalog).items():
        assert all(catalogs.forms(said)), message
        if isinstance(message, tuple):
            assert len(said) == catalog.num_plurals, message
    assert [message.id for message in catalog if message.id and message.fuzzy] == []
    assert list(catalog.obsolete) == []


@pytest.mark.parametrize("language", catalogs.TRANSLATED)
def test_places_and_markup_are_kept(language: str) -> None:
    for message, said in catalogs.contents(catalogs.catalog_of(language)).items():
        wanted = kept(catalogs.forms(message)[-1])
        for form in catalogs.forms(said):
            # Where the form says the number itself ("one minute"), its place may go.
            rest = [place for place in wanted if place not in {"%(num)s", "%(count)s"}]
            assert kept(form) in (wanted, rest if isinstance(message, tuple) else wanted), form


@pytest.mark.parametrize("language", catalogs.TRANSLATED)
def test_the_server_says_what_translators_wrote(language: str) -> None:
    catalog = catalogs.catalog_of(language)
    assert catalogs.contents_of_mo(language) == catalogs.contents(catalog)
    assert catalogs.written(catalog) == catalogs.po_file(language).read_bytes()


def test_there_is_no_other_catalog() -> None:
    folders = {path.name for path in catalogs.FOLDER.iterdir()}
    assert folders == set(catalogs.TRANSLATED)


class Spoken(HTMLParser):
    """The words that stand in a template itself, outside of what is marked as English."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, bool]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        english = dict(attrs).get("lang") == "en" or self._in_english()
        if not english:
            self._hear(*(value or "" for name, value in attrs if name in SPOKEN))
        if tag not in VOID:
            self.open.append((tag, english))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self._in_english() and not (self.open and self.open[-1][0] in {"style", "script"}):
            self._hear(data)

    def _in_english(self) -> bool:
        return any(english for _, english in self.open)

    def _hear(self, *texts: str) -> None:
        self.words += [word for text in texts for word in re.findall(r"[^\W\d_]{2,}", text)]


def literal(text: str) -> str:
    """A template without its tags, and without what is marked to be translated."""
    lexer: Any = Environment(autoescape=True).lexer
    kept_data: list[str] = []
    quiet = 0
    block: list[str] = []
    for _, kind, value in lexer.tokeniter(text, None):
        if kind == "block_begin":
            block = []
        elif kind == "block_end":
            quiet += {"trans": 1, "endtrans": -1}.get(block[0] if block else "", 0)
        elif kind == "name":
            block.append(value)
        elif kind == "data" and not quiet:
            kept_data.append(value)
        elif kind == "variable_begin":
            kept_data.append(" ")
    return "".join(kept_data)


def words(text: str, path: Path) -> list[str]:
    said = literal(text)
    if path.suffix == ".txt":
        return re.findall(r"[^\W\d_]{2,}", said)
    reader = Spoken()
    reader.feed(said)
    reader.close()
    return [word for word in reader.words if word not in NAMES]


@pytest.mark.parametrize("path", catalogs.templates(), ids=str)
def test_what_a_template_says_can_be_translated(path: Path) -> None:
    assert words(sources.read(path), path) == []


def test_words_that_nobody_marked_are_found() -> None:
    page = Path("page.html")
    assert words("<p>Hello {{ name }}</p>", page) == ["Hello"]
    assert words('<p title="Hello">{% if x %}you{% endif %}</p>', page) == ["Hello", "you"]
    assert words("<p>{% trans %}Hello {{ name }}{% endtrans %}</p>", page) == []
    assert words('<p>{{ _("Hello") }}</p><p lang="en">Hello <b>you</b></p>', page) == []
