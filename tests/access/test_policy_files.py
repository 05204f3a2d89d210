"""Reading policies: what is refused at start, and how a change comes into force."""

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.config import ConfigurationError
from idp.domain.access import Access
from idp.domain.policies import PoliciesUnusable, Schema, Source, parse
from idp.domain.policy_files import SHIPPED
from tests.access.asking import NOTES, Folder, person, sign_in
from tests.support.held_clock import HeldClock

NO = '@id("no") @sentence("Not now.") forbid (principal, action, resource);\n'
OTHER = NO.replace('"no"', '"other"')
FIRST = "// One; two.\n\n" + OTHER
SCOPE = "(principal, action, resource)"
ID = "needs an @id of letters, digits, dots, dashes and underscores"
LIFTS = "@requires is for a forbid, and one of fresh, phishing-resistant, two-factor"

BROKEN = {
    FIRST + NO.replace("forbid", "forbit"): "own.cedar line 4: invalid policy effect: forbit.",
    FIRST + NO.rstrip(";\n"): "own.cedar line 4: unexpected end of input.",
    FIRST + ";": "own.cedar line 4: unexpected token `;`.",
    FIRST + '@id("x': "own.cedar line 4: invalid token.",
    NO + NO: "own.cedar line 2: @id no is taken by own.cedar line 1.",
    NO.replace('"no"', '"everybody-signs-in"'): "own.cedar line 1: @id everybody-signs-in is "
    "taken by sign_in.cedar line 4.",
    NO.replace('@id("no")', ""): f"own.cedar line 1: {ID}.",
    NO.replace('"no"', '"a b"'): f"own.cedar line 1 (a b): {ID}.",
    NO.replace('"no"', '"error"'): f"own.cedar line 1 (error): {ID}.",
    NO.replace('@sentence("Not now.")', ""): "own.cedar line 1 (no): needs a @sentence, which "
    "people are told.",
    '@requires("more")' + NO: f"own.cedar line 1 (no): {LIFTS}.",
    "@requires" + NO: f"own.cedar line 1 (no): {LIFTS}.",
    '@requires("fresh")' + NO.replace("forbid", "permit"): f"own.cedar line 1 (no): {LIFTS}.",
    NO.replace("(principal,", "(principal == ?principal,"): "own.cedar line 1: a template; "
    "nothing would fill its slots.",
    FIRST + NO.replace(";", "when { context.colour == 1 };"): "own.cedar line 4 (no): attribute "
    "`colour` in context not found.",
    NO.replace(";", "when { resource.first_party };"): "own.cedar line 1 (no): attribute "
    "`first_party` on entity type `Doorward::Console` not found.",
    NO.replace("(principal,", '(principal in Doorward::Grup::"x",'): "own.cedar line 1 (no): "
    "unrecognized entity type `Doorward::Grup`",
    NO.replace("action,", 'action == Doorward::Action::"fly",'): "own.cedar line 1 (no): "
    'unrecognized action `Doorward::Action::"fly"`',
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_policy_keeps_the_server_from_starting(folder: Folder, text: str) -> None:
    folder.write("own.cedar", text)
    with pytest.raises(ConfigurationError) as refused:
        folder.access()
    assert refused.value.problems[-1].startswith(BROKEN[text])


def test_every_problem_of_every_file_is_told(folder: Folder) -> None:
    folder.write("a.cedar", "nonsense;\n" + NO.replace('@id("no")', ""))
    folder.write("b.cedar", NO + "more nonsense")
    with pytest.raises(ConfigurationError) as refused:
        folder.access()
    places = [problem.partition(":")[0] for problem in refused.value.problems]
    assert places == ["a.cedar line 1", "a.cedar line 2", "b.cedar line 2"]


def test_an_id_is_unique_across_files(folder: Folder) -> None:
    folder.write("a.cedar", NO)
    folder.write("b.cedar", NO)
    with pytest.raises(ConfigurationError, match=r"b\.cedar line 1: @id no is taken by a\.cedar"):
        folder.access()


def test_a_folder_that_is_not_there_keeps_the_server_from_starting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="IDP_POLICIES_DIR: cannot read"):
        Access(str(tmp_path / "absent"), HeldClock(), 5)


def test_a_file_that_is_no_text_keeps_the_server_from_starting(folder: Folder) -> None:
    (folder.path / "own.cedar").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"cannot read .*own\.cedar"):
        folder.access()


def test_only_cedar_files_count(folder: Folder) -> None:
    folder.write("README.md", "nonsense")
    folder.write("no.cedar.off", NO)
    assert sign_in(folder.access(), person(), NOTES).allowed


def test_a_broken_schema_is_refused() -> None:
    with pytest.raises(PoliciesUnusable, match=r"^odd\.cedarschema: "):
        Schema(Source("odd.cedarschema", "entity ;"))


def allowed(access: Access) -> bool:
    return sign_in(access, person(), NOTES).allowed


def test_a_change_comes_into_force_within_five_seconds(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    access = folder.access()
    assert allowed(access)
    folder.write("own.cedar", NO)
    folder.clock.advance(4.9)
    assert allowed(access)
    folder.clock.advance(0.1)
    assert not allowed(access)
    (folder.path / "own.cedar").unlink()
    folder.clock.advance(5)
    assert allowed(access)
    changes = [one.getMessage() for one in caplog.records]
    assert [one.partition(":")[0] for one in changes] == ["policies changed"] * 2


def test_a_clock_that_is_set_back_keeps_no_old_version(folder: Folder) -> None:
    access = folder.access()
    folder.write("own.cedar", NO)
    folder.clock.advance(-3600)
    assert not allowed(access)


def test_files_that_stay_as_they_are_are_not_read_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("own.cedar", NO)
    access = folder.access()
    monkeypatch.setattr(Path, "read_text", lambda *_: pytest.fail("read again"))
    folder.clock.advance(60)
    assert not allowed(access)


@pytest.mark.parametrize("broken", list(BROKEN))
def test_a_broken_new_version_changes_nothing(
    folder: Folder, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    folder.write("kept.cedar", '@id("kept")' + NO.partition('"no")')[2])
    access = folder.access()
    (folder.path / "kept.cedar").unlink()
    folder.write("own.cedar", broken)
    for _ in range(3):
        folder.clock.advance(5)
        assert sign_in(access, person(), NOTES).policies == ("kept",)
    refusals = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert len(refusals) == 1
    assert refusals[0].startswith("new policies refused, the former stay in force: own.cedar line")
    folder.write("own.cedar", NO)
    folder.clock.advance(5)
    assert sign_in(access, person(), NOTES).policies == ("no",)


def test_a_folder_that_vanishes_takes_no_policy_with_it(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write("own.cedar", NO)
    access = folder.access()
    folder.path.rename(folder.path.with_name("elsewhere"))
    folder.clock.advance(5)
    assert not allowed(access)
    assert "cannot read" in caplog.text
    folder.path.with_name("elsewhere").rename(folder.path)
    (folder.path / "own.cedar").unlink()
    folder.clock.advance(5)
    assert allowed(access)


def test_a_file_that_changes_while_it_is_read_waits_for_the_next_look(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = folder.access()
    folder.write("own.cedar", NO)
    read = Path.read_text

    def touched_meanwhile(path: Path, encoding: str) -> str:
        text = read(path, encoding)
        os.utime(path, ns=(1, 1))
        return text

    folder.clock.advance(5)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Path, "read_text", touched_meanwhile)
        assert allowed(access)
    folder.clock.advance(5)
    assert not allowed(access)


SHIPPED_SCHEMA = Schema(Source("schema", (SHIPPED / "schema.cedarschema").read_text("utf-8")))
WORDS = st.lists(st.sampled_from(["a", ";", "//", "\n", '\\"', "\\\\", "é", " "]), max_size=8)


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, max_size=4))
def test_each_policy_is_found_whatever_its_strings_and_comments_hold(
    sentences: list[list[str]], comments: list[list[str]]
) -> None:
    texts = ["".join(words).replace("\n", "\\n") for words in sentences]
    notes = "".join(f"// {''.join(words)}".replace("\n", "") + "\n" for words in comments)
    policies = [
        f'@id("p{n}") @sentence("x{text}") {notes} permit {SCOPE};' for n, text in enumerate(texts)
    ]
    found = parse(SHIPPED_SCHEMA, [Source("own.cedar", notes + notes.join(policies) + notes)])
    assert [policy.id for policy in found.policies] == [f"p{n}" for n in range(len(texts))]


def test_the_shipped_policies_are_complete() -> None:
    sources = [Source(path.name, path.read_text("utf-8")) for path in SHIPPED.glob("*.cedar")]
    policies = parse(SHIPPED_SCHEMA, sources).policies
    assert len(policies) == sum(source.text.count("\n@id(") for source in sources) == 13
    assert not any(policy.reads_network for policy in policies)
