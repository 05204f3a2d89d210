"""Pages lead to pages that exist, and every page can be found."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import sources

LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
PAGES = [path for path in sources.TRACKED if path.suffix == ".md"]


def linked(page: Path) -> Iterator[Path]:
    """The local files that a page links to, relative to the root."""
    for target in LINK.findall(sources.read(page)):
        if ":" not in target:
            yield (sources.ROOT / page.parent / target).resolve().relative_to(sources.ROOT)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    assert [str(target) for target in linked(page) if not (sources.ROOT / target).exists()] == []


def test_every_page_of_docs_is_linked() -> None:
    reached = {target for page in PAGES for target in linked(page) if target != page}
    pages = {page for page in PAGES if page.parts[0] == "docs"}
    assert {str(page) for page in pages - reached if page.name != "template.md"} == set()
