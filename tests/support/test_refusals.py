"""What `refused` lets pass, and what it does not."""

import pytest

from idp.domain.audit import Entry
from idp.domain.services import Services
from tests.support.refusals import Refused
from tests.support.seeds import ADA, OPERATOR, ORIGIN


def refuse(services: Services) -> None:
    services.audit.refuse(ORIGIN, Entry("door.opened", detail={"reason": "locked"}))


def test_a_recorded_refusal_passes(refused: Refused, services: Services) -> None:
    with refused("door.opened", times=1) as entries:
        refuse(services)
    assert entries[0]["detail"] == {"reason": "locked"}


def test_a_refusal_that_is_not_recorded_fails(refused: Refused) -> None:
    with pytest.raises(AssertionError, match="is not in"), refused("door.opened"):
        pass


def test_a_refusal_that_is_recorded_twice_fails_where_it_is_counted(
    refused: Refused, services: Services
) -> None:
    def twice() -> None:
        with refused("door.opened", times=1):
            refuse(services)
            refuse(services)

    with pytest.raises(AssertionError):
        twice()


def test_a_changed_row_fails(refused: Refused, services: Services) -> None:
    def change() -> None:
        with refused("door.opened"):
            refuse(services)
            services.accounts.disable(ADA.email, ORIGIN, OPERATOR)

    with pytest.raises(AssertionError, match="accounts"):
        change()


def test_a_change_that_is_expected_passes_and_must_happen(
    refused: Refused, services: Services
) -> None:
    with refused("door.opened", changes=["accounts"]):
        refuse(services)
        services.accounts.disable(ADA.email, ORIGIN, OPERATOR)
    with pytest.raises(AssertionError, match="accounts"), refused("e", changes=["accounts"]):
        pass
