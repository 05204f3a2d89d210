"""What policies say: the shipped ones in the reader's language, the operator's as they are."""

from dataclasses import replace

import pytest
from flask import Flask

from idp.domain.access import Access
from idp.web.i18n import in_language, said
from tests.access.asking import ACCOUNT, ADMIN, NOTES, ONE_FACTOR, Folder, person, sign_in

SECOND_STEP = (
    "Ihr Konto ist durch einen zweiten Schritt geschützt. Bestätigen Sie, dass Sie es sind."
)


def no(sentence: str, *, requires: str = "") -> str:
    lifted = f'@requires("{requires}")' if requires else ""
    return f'@id("own") @sentence("{sentence}") {lifted} forbid (principal, action, resource);'


def test_a_shipped_sentence_is_said_in_the_readers_language(app: Flask, shipped: Access) -> None:
    decision = sign_in(shipped, person(second_factor=True), NOTES)
    assert decision.sentence.startswith("Your account is protected by a second step.")
    with app.app_context(), in_language("de"):
        assert said(decision.sentence) == SECOND_STEP


def test_so_are_two_of_them(app: Flask, shipped: Access) -> None:
    how = replace(ONE_FACTOR, age=601)
    decision = shipped.decide(person("operator"), "change_credentials", ACCOUNT, how)
    with app.app_context(), in_language("fr"):
        assert said(decision.sentence) == (
            "Votre rôle exige une connexion à deux facteurs ou avec une clé d’accès. "
            "Votre connexion remonte à un moment. Confirmez que c’est bien vous."
        )


def test_so_is_that_nothing_permits_it(app: Flask, shipped: Access) -> None:
    decision = shipped.decide(person(), "view_people", ADMIN, ONE_FACTOR)
    with app.app_context(), in_language("es"):
        assert said(decision.sentence) == "No tiene permiso para hacer esto."


@pytest.mark.parametrize(
    "sentence",
    ["Sign in first.", "100 % no.", "%(email)s", "%s %d %%", "{{ 7 * 7 }}", "<b>No</b>"],
)
def test_an_operators_sentence_stays_as_it_is(app: Flask, folder: Folder, sentence: str) -> None:
    """Even one that the catalogs have."""
    folder.write("own.cedar", no(sentence))
    decision = sign_in(folder.access(), person(), NOTES)
    with app.app_context(), in_language("de"):
        assert said(decision.sentence) == sentence


def test_beside_a_shipped_one_too(app: Flask, folder: Folder) -> None:
    folder.write("own.cedar", no("100 % of %(people)s.", requires="fresh"))
    decision = sign_in(folder.access(), person(second_factor=True), NOTES)
    assert decision.sentence.endswith("Confirm it’s you. 100 % of %(people)s.")
    with app.app_context(), in_language("de"):
        assert said(decision.sentence) == f"{SECOND_STEP} 100 % of %(people)s."
