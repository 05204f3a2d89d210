"""Signed notes as C2SP writes them down, and checkpoints in them."""

import base64

import pytest

from idp.crypto.notes import LARGEST_NOTE, BadNote, NoteKey, NoteSigner, new_private, opened, sign
from idp.domain.audit_log import checkpoints
from idp.domain.audit_log.checkpoints import Checkpoint

# From the documentation of golang.org/x/mod/sumdb/note: others wrote and signed these.
PETER = NoteKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngo"
    "tpRZb6KE6RyyBwJnAM=\n"
)
NAME = "id.example.test/audit/1"


@pytest.fixture
def signer() -> NoteSigner:
    return NoteSigner.load(NAME, new_private())


def test_a_note_of_others_opens() -> None:
    assert opened(NOTE, [PETER]).startswith("If you think")
    assert NoteKey.parse(PETER.text) == PETER


def test_ours_opens_with_our_key_alone(signer: NoteSigner) -> None:
    note = sign("text\n\nmore\n", [signer])
    assert opened(note, [PETER, signer.key]) == "text\n\nmore\n"
    other = NoteSigner.load(NAME, new_private())
    with pytest.raises(BadNote, match="No key"):
        opened(note, [PETER, other.key])
    assert opened(sign("both\n", [other, signer]), [signer.key]) == "both\n"


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "\n",
        NOTE[:-1],
        NOTE.replace("problem", "Problem"),
        NOTE.replace("\u2014 ", "- "),
        NOTE.replace("x08go", "x08gO"),
        NOTE.replace("nAM=", "nAM"),
        NOTE.replace("nAM=", "nAQ="),
        NOTE.replace("\n\n", "\n"),
        NOTE + "\n",
        NOTE + NOTE.splitlines()[-1].replace("nAM=", "nAQ=") + "\n",
        NOTE + 16 * (NOTE.splitlines()[-1] + "\n"),
        "x" * LARGEST_NOTE + NOTE,
    ],
)
def test_what_is_broken_does_not(broken: str) -> None:
    with pytest.raises(BadNote):
        opened(broken, [PETER])


@pytest.mark.parametrize(
    "text",
    ["", "name", "a+b", PETER.text.replace("c7", "c8"), PETER.text[:-4], PETER.text + "!", "++"],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        NoteKey.parse(text)


def test_a_checkpoint_is_three_lines(signer: NoteSigner) -> None:
    point = Checkpoint(NAME, 20, b"r" * 32)
    note = point.signed([signer])
    root = base64.b64encode(b"r" * 32).decode()
    assert note.startswith(f"{NAME}\n20\n{root}\n\n\u2014 {NAME} ")
    assert checkpoints.read(note, [signer.key]) == checkpoints.unverified(note) == point
    extended = sign(f"{NAME}\n20\n{root}\nextension\n", [signer])
    assert checkpoints.read(extended, [signer.key]) == point


@pytest.mark.parametrize(
    "text",
    ["a\n1\n", "\n1\n{root}\n", "a\n01\n{root}\n", "a\n-1\n{root}\n", "a\n1\nAAAA\n", "a\n1\n!\n"],
)
def test_what_is_no_checkpoint_is_refused(signer: NoteSigner, text: str) -> None:
    root = base64.b64encode(bytes(32)).decode()
    with pytest.raises(BadNote):
        checkpoints.read(sign(text.format(root=root), [signer]), [signer.key])


def test_notes_in_one_file_are_told_apart(signer: NoteSigner) -> None:
    other = NoteSigner.load(NAME, new_private())
    notes = [Checkpoint(NAME, size, bytes(32)).signed([signer, other]) for size in (1, 2, 3)]
    for between in ("", "\n", "\n\n"):
        assert checkpoints.apart(between.join(notes)) == notes
    assert checkpoints.apart("") == []
