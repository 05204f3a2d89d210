"""The reference of settings says what the code says."""

from tests.house import configuration


def test_the_page_is_up_to_date() -> None:
    assert configuration.PAGE.read_text(encoding="utf-8") == configuration.page(), "run `make docs`"
