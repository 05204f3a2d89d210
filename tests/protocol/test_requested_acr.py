"""How strong a client wants the sign-in (OpenID Connect Core sections 3.1.2.1 and 5.5.1.1)."""

import json
from typing import Any

import pytest

from idp.domain.assurance import ACR_VALUES
from idp.protocol import claims_request, requested_acr
from idp.protocol.claims_request import Wish
from idp.protocol.errors import RedirectedError

ONE, TWO, STRONG = ACR_VALUES


def claim(value: Any) -> str:
    return json.dumps({"id_token": {"acr": value}})


def wish_of(claims: str) -> Wish | None:
    return claims_request.decode(claims).id_token.get("acr")


@pytest.mark.parametrize(
    ("acr_values", "claims", "values", "essential"),
    [
        ("", "", (), False),
        (TWO, "", (TWO,), False),
        (f"{STRONG} {ONE}", "", (STRONG, ONE), False),
        (f"urn:unknown {TWO}", "", (TWO,), False),
        (TWO, claim(None), (TWO,), False),
        ("", claim({"essential": True, "value": TWO}), (TWO,), True),
        ("", claim({"essential": True, "values": [STRONG, TWO]}), (STRONG, TWO), True),
        ("", claim({"values": [TWO]}), (TWO,), False),
        (ONE, claim({"essential": True, "values": ["x", STRONG]}), (STRONG,), True),
        ("", claim({"essential": True}), (), False),
        ("", '{"userinfo": {"email": null}}', (), False),
        ("", '{"id_token": null}', (), False),
    ],
)
def test_what_is_asked(
    acr_values: str, claims: str, values: tuple[str, ...], essential: bool
) -> None:
    asked = requested_acr.parse(acr_values, wish_of(claims))
    assert (asked.values, asked.essential) == (values, essential)


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ("not json", "invalid_request"),
        ("[]", "invalid_request"),
        ("[" * 100_000, "invalid_request"),
        ('{"id_token": 7}', "invalid_request"),
        ('{"id_token": {"acr": "1"}}', "invalid_request"),
        (claim({"essential": True, "value": "urn:unknown"}), requested_acr.UNMET),
        (claim({"essential": True, "values": ["a", "b"]}), requested_acr.UNMET),
    ],
)
def test_what_is_refused(claims: str, error: str) -> None:
    with pytest.raises(RedirectedError) as refused:
        requested_acr.parse("", wish_of(claims))
    assert refused.value.error == error


@pytest.mark.parametrize(
    ("values", "essential", "levels"),
    [
        ((), False, ()),
        ((), True, ()),
        ((TWO,), False, (2,)),
        ((STRONG, ONE), False, (3, 1)),
        ((STRONG, TWO), True, (2,)),
        ((STRONG,), True, (3,)),
    ],
)
def test_the_levels_to_reach(
    values: tuple[str, ...], essential: bool, levels: tuple[int, ...]
) -> None:
    assert requested_acr.levels(values, essential=essential) == levels


@pytest.mark.parametrize(
    ("values", "reached", "told"),
    [
        ((), TWO, TWO),
        ((TWO,), STRONG, TWO),
        ((ONE,), STRONG, ONE),
        ((STRONG, TWO), TWO, TWO),
        ((STRONG,), ONE, ONE),
        ((ONE, TWO, STRONG), STRONG, STRONG),
    ],
)
def test_the_acr_that_is_told_was_reached_and_asked_for(
    values: tuple[str, ...], reached: str, told: str
) -> None:
    assert requested_acr.reported(values, reached) == told
