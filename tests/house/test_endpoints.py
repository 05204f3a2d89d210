"""docs/reference/endpoints.md lists what the server answers, no more and no less."""

import re
from collections.abc import Sequence

from idp.config import load
from idp.protocol.metadata import metadata
from idp.web.routes import DEVELOPMENT_ROUTES, ROUTES, Route
from tests.house import sources

ROW = re.compile(r"^\| `(/[^`]*)` \| ([A-Z, ]+) \|(?:.* \| (?:`(\w+)`|–) \|$)?", re.MULTILINE)
PAGE = (sources.ROOT / "docs/reference/endpoints.md").read_text(encoding="utf-8")
ALWAYS, MARK, IN_DEVELOPMENT = PAGE.partition("## In development only")


def listed(part: str) -> list[tuple[str, str]]:
    return sorted((path, methods) for path, methods, _ in ROW.findall(part))


def served(routes: Sequence[Route]) -> list[tuple[str, str]]:
    return sorted((route.path, ", ".join(route.methods)) for route in routes)


def test_every_route_is_listed_and_nothing_else() -> None:
    assert MARK
    assert listed(ALWAYS) == served(ROUTES)
    assert listed(IN_DEVELOPMENT) == served(DEVELOPMENT_ROUTES)


def test_the_members_are_those_of_the_discovery_document() -> None:
    document = metadata(load({"issuer": "https://id.example.com", "registration": "open"}))
    told = {
        member: f"https://id.example.com{path}" for path, _, member in ROW.findall(ALWAYS) if member
    }
    promised = {name for name in document if name.endswith(("_endpoint", "_uri", "_iframe"))}
    assert told == {name: document[name] for name in promised}
