"""The catalogs of idp/translations, made of code, policies and templates: `make translations`."""

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from idp.domain.languages import DEFAULT, LANGUAGES
from idp.domain.policies import Schema, Source, parse
from idp.domain.policy_files import SHIPPED
from tests.house import sources

FOLDER = sources.ROOT / "idp" / "translations"
TRANSLATED = tuple(language for language in LANGUAGES if language != DEFAULT)
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "marked": None,
    "counted": (1, 2),
}
ENGLISH = ("templates/playground/", "templates/dev/")
"""Pages for developers."""
_NEVER = datetime(2026, 1, 1, tzinfo=UTC)
"""No dates: a catalog changes when a message does."""


def templates() -> list[Path]:
    """Every template that is said in other languages too."""
    return [
        path
        for path in sources.TRACKED
        if path.parts[0] == "templates"
        and path.suffix in {".html", ".txt"}
        and not path.as_posix().startswith(ENGLISH)
    ]


def collected() -> Catalog:
    """Return every message of code, policies and templates."""
    catalog = _empty(None)
    code = [path for path in sources.PYTHON if path.parts[0] == "idp"]
    policies = [path.relative_to(sources.ROOT) for path in sorted(SHIPPED.glob("*.cedar"))]
    for path in [*code, *policies, *templates()]:
        for message, comments, context in _messages(path):
            catalog.add(
                message, locations=[(path.as_posix(), 0)], auto_comments=comments, context=context
            )
    return catalog


def _messages(path: Path) -> Iterator[tuple[Any, list[str], str | None]]:
    if path.suffix == ".cedar":
        yield from ((sentence, [], None) for sentence in _sentences(path))
        return
    method, options = "python", {}
    if path.parts[0] == "templates":
        method, options = "jinja2.ext:babel_extract", {"trimmed": "true", "silent": "false"}
    with (sources.ROOT / path).open("rb") as file:
        found = extract(method, file, keywords=KEYWORDS, options=options)
        for _, message, comments, context in found:
            yield message, comments, context


def _sentences(path: Path) -> Iterator[str]:
    """Yield what the policies of a file say to people."""
    schema = Schema(Source("schema", (SHIPPED / "schema.cedarschema").read_text("utf-8")))
    for policy in parse(schema, [Source(path.name, sources.read(path))]).policies:
        yield policy.sentence


def catalog_of(language: str) -> Catalog:
    """Return a catalog as it stands, empty when there is none."""
    path = po_file(language)
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str, messages: Catalog) -> Catalog:
    """Return a catalog with the messages there are now, and the translations that still fit."""
    before = catalog_of(language)
    catalog = _empty(language)
    for message in _all(messages):
        known = before.get(message.id, message.context)
        catalog.add(
            message.id,
            known.string if known else None,
            locations=message.locations,
            flags=known.flags & {"fuzzy"} if known else (),
            context=message.context,
        )
    return catalog


def written(catalog: Catalog) -> bytes:
    """Return a catalog as its .po file."""
    file = io.BytesIO()
    write_po(file, catalog, width=100, include_lineno=False)
    return file.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """Return a catalog as its .mo file."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def po_file(language: str) -> Path:
    """Return where translators write."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def mo_file(language: str) -> Path:
    """Return what the server reads."""
    return po_file(language).with_suffix(".mo")


def contents(catalog: Catalog) -> dict[Any, Any]:
    """Return each message with its translation."""
    return {_hashable(message.id): _hashable(message.string) for message in _all(catalog)}


def contents_of_mo(language: str) -> dict[Any, Any]:
    """Return what the server would say."""
    with mo_file(language).open("rb") as file:
        return contents(read_mo(file))


def _hashable(text: Any) -> Any:
    return tuple(text) if isinstance(text, list) else text


def _all(catalog: Iterable[Message]) -> list[Message]:
    return [message for message in catalog if message.id]


def _empty(language: str | None) -> Catalog:
    return Catalog(
        locale=language,
        project="Doorward",
        version="1",
        header_comment=f"# {LANGUAGES[language]}" if language else "",
        copyright_holder="Doorward",
        creation_date=_NEVER,
        revision_date=_NEVER,
        last_translator="Doorward",
        language_team=language or "",
        fuzzy=False,
    )


def main() -> None:
    """Collect messages, bring every catalog up to date, compile it."""
    messages = collected()
    for language in TRANSLATED:
        catalog = updated(language, messages)
        po_file(language).parent.mkdir(parents=True, exist_ok=True)
        po_file(language).write_bytes(written(catalog))
        mo_file(language).write_bytes(compiled(catalog))
        missing = sum(1 for said in contents(catalog).values() if not all(forms(said)))
        print(f"{language}: {len(catalog)} messages, {missing} without a translation")


def forms(said: Any) -> tuple[Any, ...]:
    """Return the forms of a message or a translation: one, or as many as there are plurals."""
    return tuple(said) if isinstance(said, (tuple, list)) else (said,)


if __name__ == "__main__":
    main()
