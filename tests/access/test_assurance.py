"""How strong each way to prove who you are is, for every subset of the methods."""

from collections.abc import Mapping
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.assurance import ACR_VALUES, METHODS, Assurance, level_of_acr, of_proofs

ONE, TWO, RESISTANT = ACR_VALUES
NAMES = ("password", "mail", "authenticator", "recovery_code", "passkey", "synced_passkey")
SUBSETS = [frozenset(chosen) for size in range(7) for chosen in combinations(NAMES, size)]


def level_by_the_rules(methods: frozenset[str]) -> int:
    """Say it as the specification does, apart from the table."""
    if methods & {"passkey", "synced_passkey"}:
        return 3
    if not methods & {"password", "mail"}:
        return 0
    return 2 if methods & {"authenticator", "recovery_code"} else 1


def level(proofs: Mapping[str, int]) -> int:
    found = of_proofs(proofs)
    return found.level if found else 0


def test_the_table_holds_these_methods() -> None:
    assert tuple(METHODS) == NAMES


@pytest.mark.parametrize("methods", SUBSETS, ids=lambda methods: "+".join(sorted(methods)) or "-")
def test_every_subset(methods: frozenset[str]) -> None:
    found = of_proofs(dict.fromkeys(methods, 1000))
    wanted = level_by_the_rules(methods)
    if not wanted:
        assert found is None
        return
    assert found is not None
    assert (found.level, found.acr, found.since) == (wanted, ACR_VALUES[wanted - 1], 1000)
    assert found.phishing_resistant == (wanted == 3)
    assert ("mfa" in found.amr) == (wanted >= 2)
    assert ("email" in found.amr) == ("mail" in methods)
    assert ("pwd" in found.amr) == ("password" in methods)
    assert ("otp" in found.amr) == bool(methods & {"authenticator", "recovery_code"})
    assert ("hwk" in found.amr) == ("passkey" in methods)
    assert ("swk" in found.amr) == ("synced_passkey" in methods)
    assert ("user" in found.amr) == (wanted == 3)
    assert len(set(found.amr)) == len(found.amr)


@pytest.mark.parametrize(
    ("proofs", "wanted"),
    [
        ({"password": 5}, Assurance(1, ONE, ("pwd",), 5)),
        ({"mail": 5}, Assurance(1, ONE, ("email",), 5)),
        ({"password": 5, "authenticator": 9}, Assurance(2, TWO, ("pwd", "otp", "mfa"), 5)),
        ({"mail": 9, "recovery_code": 5}, Assurance(2, TWO, ("email", "otp", "mfa"), 5)),
        ({"passkey": 5}, Assurance(3, RESISTANT, ("hwk", "user", "mfa"), 5)),
        ({"synced_passkey": 5}, Assurance(3, RESISTANT, ("swk", "user", "mfa"), 5)),
        # Of what does the same, the newest counts, and what is older took no part.
        ({"password": 5, "mail": 9}, Assurance(1, ONE, ("email",), 9)),
        ({"password": 9, "mail": 9}, Assurance(1, ONE, ("pwd", "email"), 9)),
        (
            {"password": 3, "mail": 9, "authenticator": 7, "recovery_code": 2},
            Assurance(2, TWO, ("email", "otp", "mfa"), 7),
        ),
        ({"password": 5, "passkey": 9}, Assurance(3, RESISTANT, ("hwk", "user", "mfa"), 9)),
        ({"password": 9, "passkey": 5}, Assurance(3, RESISTANT, ("pwd", "hwk", "user", "mfa"), 5)),
        # A row that a newer version wrote.
        ({"password": 5, "retina": 9}, Assurance(1, ONE, ("pwd",), 5)),
        ({"retina": 9}, None),
    ],
)
def test_what_counts(proofs: dict[str, int], wanted: Assurance | None) -> None:
    assert of_proofs(proofs) == wanted


PROOFS = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 20))


@given(PROOFS, st.sampled_from(NAMES), st.integers(0, 20))
def test_one_more_proof_never_weakens(proofs: dict[str, int], method: str, at: int) -> None:
    more = {**proofs, method: max(at, proofs.get(method, 0))}
    before, after = of_proofs(proofs), of_proofs(more)
    assert level(more) >= level(proofs)
    if before and after and before.level == after.level:
        assert after.since >= before.since


@given(PROOFS)
def test_since_is_the_time_of_a_proof_and_amr_of_those_after_it(proofs: dict[str, int]) -> None:
    found = of_proofs(proofs)
    if found is None:
        return
    assert found.since in proofs.values()
    kept = {name: at for name, at in proofs.items() if at >= found.since}
    assert of_proofs(kept) == found


def test_an_acr_stands_for_its_level() -> None:
    assert [level_of_acr(acr) for acr in ACR_VALUES] == [1, 2, 3]
    assert ACR_VALUES == (
        "urn:doorward:acr:one-factor",
        "urn:doorward:acr:two-factor",
        "urn:doorward:acr:phishing-resistant",
    )


@pytest.mark.parametrize("acr", ["", "0", "1", "urn:doorward:acr:three-factor", ONE.upper()])
def test_a_foreign_acr_stands_for_none(acr: str) -> None:
    assert level_of_acr(acr) is None
