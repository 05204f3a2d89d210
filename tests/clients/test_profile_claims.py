"""What an operator enters of people's profiles: OpenID Connect Core sections 5.1 and 5.2."""

from typing import Any

import pytest

from idp.domain import profile_claims
from idp.domain.audit import By
from idp.domain.errors import Invalid
from idp.domain.profile_claims import ADDRESS_PARTS, PROFILE_CLAIMS
from idp.domain.services import Services
from tests.support import full_profile
from tests.support.refusals import entries
from tests.support.seeds import ADA, OPERATOR, ORIGIN

BY = By(OPERATOR, ORIGIN)


def test_every_claim_can_be_entered() -> None:
    assert {*full_profile.PROFILE} >= PROFILE_CLAIMS
    assert {*full_profile.PROFILE["address"]} == {*ADDRESS_PARTS}
    assert profile_claims.checked(full_profile.PROFILE) == full_profile.PROFILE


def test_what_is_empty_is_not_kept() -> None:
    claims = {"nickname": "", "gender": None, "address": {"region": " "}, "website": " x "}
    assert profile_claims.checked(claims) == {"website": "x"}
    assert profile_claims.checked({"phone_number_verified": False}) != {}


@pytest.mark.parametrize(
    "claims",
    [
        {"name": "Ada"},
        {"email": "ada@example.test"},
        {"sub": "1"},
        {"updated_at": 1},
        {"birthdate#ja": "1815-12-10"},
        {"name#": "Ada"},
        {"name#not a tag": "Ada"},
        {"nickname": 7},
        {"nickname": "a\nb"},
        {"nickname": "a" * 2001},
        {"phone_number_verified": "true"},
        {"address": "London"},
        {"address": {"planet": "Earth"}},
        {"address": {"locality": ["London"]}},
        {"address": {"formatted": "a\tb"}},
        {f"name#en-a{number}": "Ada" for number in range(201)},
    ],
)
def test_what_is_no_profile_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        profile_claims.checked(claims)


def test_claims_are_entered_one_by_one(services: Services) -> None:
    profiles, ada = services.own.profiles, services.accounts.get(ADA.email)
    assert ada.profile["phone_number_verified"] is True
    claims = {
        "nickname": "Enchantress",
        "name#ja": "エイダ",
        "phone_number": "+44 1",
        "locale": None,
    }
    changed = profiles.enter(ada, claims, BY)
    assert set(changed) == {*claims, "phone_number_verified"}
    found = services.accounts.get(ADA.email).profile
    assert (found["nickname"], found["name#ja"], found["phone_number"]) == (
        "Enchantress",
        "エイダ",
        "+44 1",
    )
    assert not {"locale", "phone_number_verified"} & found.keys()
    assert found["given_name"] == "Ada"
    entry = entries(services.store)[-1]
    assert (entry["event"], entry["actor"]) == ("account.changed", OPERATOR)
    assert "Enchantress" not in str(entry["detail"])
    assert profiles.enter(services.accounts.get(ADA.email), {"nickname": "Enchantress"}, BY) == ()
    # What the person says of themselves leaves the rest as it is.
    profiles.change(services.accounts.get(ADA.email), {"nickname": "Countess"}, BY)
    found = services.accounts.get(ADA.email).profile
    assert (found["nickname"], found["name#ja"]) == ("Countess", "エイダ")
