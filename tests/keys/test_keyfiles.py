"""The key-encryption key as a file and as text: made once, kept private, never weak."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from idp.crypto import keyfiles
from idp.crypto.keyfiles import KeyUnusable
from tests.keys.sealing_keys import KEY, text_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "key-encryption-key"


def problem(text: str) -> str:
    with pytest.raises(KeyUnusable) as caught:
        keyfiles.parse_key(text, "IDP_KEY_ENCRYPTION_KEY")
    return str(caught.value)


def test_a_new_key_can_be_read_by_its_owner_alone(path: Path) -> None:
    key = keyfiles.create_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert keyfiles.read_key(path) == key
    assert list(path.parent.iterdir()) == [path]


def test_a_key_that_is_there_is_never_replaced(path: Path) -> None:
    first = keyfiles.create_key(path)
    assert keyfiles.create_key(path) == first


def test_threads_that_make_it_at_once_get_the_same_key(path: Path) -> None:
    start = threading.Barrier(16, timeout=30)

    def make(_number: int) -> bytes:
        start.wait()
        return keyfiles.create_key(path)

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(make, range(16)))) == 1
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o660, 0o601])
def test_case_157_a_key_file_that_others_may_touch_is_refused(path: Path, mode: int) -> None:
    keyfiles.create_key(path)
    path.chmod(mode)
    with pytest.raises(KeyUnusable, match=r"can be read or changed by others; run: chmod 600"):
        keyfiles.read_key(path)


@pytest.mark.parametrize(
    "key",
    [
        bytes(32),
        b"\xff" * 32,
        bytes(range(32)),
        bytes(range(255, 223, -1)),
        b"ab" * 16,
        b"correct horse battery staple 123",
        (bytes(range(15)) * 3)[:32],
    ],
    ids=repr,
)
def test_case_157_a_weak_key_is_refused(key: bytes) -> None:
    assert problem(text_of(key)) == (
        "IDP_KEY_ENCRYPTION_KEY holds a weak key; `idp keys generate` makes a good one."
    )


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_case_157_a_key_of_another_length_is_refused(size: int) -> None:
    said = problem(text_of(os.urandom(size)))
    assert said == f"IDP_KEY_ENCRYPTION_KEY holds a key of {size} bytes; it must have 32."


@pytest.mark.parametrize(
    "text", ["not base64url!", "a+b/" * 10, "é" * 43, text_of(KEY)[:-2], "a" * 41]
)
def test_case_157_what_is_no_base64url_is_refused_and_not_repeated(text: str) -> None:
    said = problem(text)
    assert said.startswith("IDP_KEY_ENCRYPTION_KEY ")
    assert text not in said


def test_padding_may_be_there() -> None:
    assert keyfiles.parse_key(text_of(KEY) + "=", "it") == KEY


def test_generated_keys_are_accepted_and_differ() -> None:
    texts = {keyfiles.new_key_text() for _ in range(200)}
    assert len(texts) == 200
    assert all(len(keyfiles.parse_key(text, "it")) == 32 for text in texts)


def test_a_missing_file_and_a_folder_are_one_sentence_each(path: Path) -> None:
    with pytest.raises(KeyUnusable, match="cannot be read: No such file or directory"):
        keyfiles.read_key(path)
    with pytest.raises(KeyUnusable, match="cannot be read: Is a directory"):
        keyfiles.read_key(path.parent.parent)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(KeyUnusable, match="cannot be written: File exists"):
        keyfiles.create_key(tmp_path / "file" / "key-encryption-key")
