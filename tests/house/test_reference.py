"""The references of settings and commands say what the code says."""

import pytest

from tests.house import reference


@pytest.mark.parametrize("page", reference.PAGES)
def test_a_page_is_up_to_date(page: str) -> None:
    stands = (reference.FOLDER / page).read_text(encoding="utf-8")
    assert stands == reference.PAGES[page](), "run `make docs`"
