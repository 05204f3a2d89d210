"""Which key-encryption key a database accepts, and the sentences when it is not the right one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from idp.config import ConfigurationError, Settings
from idp.domain.installation import FILE, PREVIOUS_FILE, open_sealer
from idp.domain.server_secrets import NAMES, ServerSecrets
from idp.store.database import Store
from tests.keys.sealing_keys import KEY, OTHER_KEY, text_of
from tests.support.held_clock import HeldClock

Changed = Callable[..., Settings]


@pytest.fixture
def changed(settings: Settings) -> Changed:
    """The settings with other keys given."""

    def change(key: bytes | None = None, previous: bytes | None = None) -> Settings:
        given = {
            "key_encryption_key": SecretStr(text_of(key) if key else ""),
            "previous_key_encryption_key": SecretStr(text_of(previous) if previous else ""),
        }
        return settings.model_copy(update=given)

    return change


def refusal(store: Store, settings: Settings) -> str:
    with pytest.raises(ConfigurationError) as caught:
        open_sealer(store, settings)
    (sentence,) = caught.value.problems
    return sentence


def write(settings: Settings, name: str, key: bytes) -> Path:
    settings.keys_dir.mkdir(exist_ok=True)
    path = settings.keys_dir / name
    path.write_text(text_of(key))
    path.chmod(0o600)
    return path


@pytest.mark.only_on("sqlite")
def test_an_empty_embedded_database_gets_a_key_of_its_own(store: Store, changed: Changed) -> None:
    sealed = open_sealer(store, changed()).seal(b"secret", "here")
    assert (changed().keys_dir / FILE).stat().st_mode & 0o777 == 0o600
    assert open_sealer(store, changed()).unseal(sealed, "here") == b"secret"


@pytest.mark.only_on("sqlite")
def test_case_157_a_lost_key_refuses_to_start_and_is_not_replaced(
    store: Store, changed: Changed
) -> None:
    open_sealer(store, changed())
    path = changed().keys_dir / FILE
    path.unlink()
    assert refusal(store, changed()) == (
        f"The key-encryption key of this database is missing: restore {path} or set "
        "IDP_KEY_ENCRYPTION_KEY; without it no secret in the database can be opened."
    )
    assert not path.exists()


@pytest.mark.only_on("postgresql")
def test_case_157_a_database_that_nodes_share_needs_a_given_key(
    store: Store, changed: Changed
) -> None:
    assert refusal(store, changed()) == (
        "IDP_KEY_ENCRYPTION_KEY: not set. Nodes that share a database share its key-encryption "
        "key: make one with `idp keys generate`, and set it or put it into "
        f"{changed().keys_dir / FILE} on every node."
    )
    assert not changed().keys_dir.exists()


def test_case_157_a_foreign_key_refuses_to_start(store: Store, changed: Changed) -> None:
    open_sealer(store, changed(KEY))
    said = refusal(store, changed(OTHER_KEY))
    assert said.startswith("The key-encryption key from IDP_KEY_ENCRYPTION_KEY is not the one of")
    assert text_of(KEY) not in said
    write(changed(), FILE, OTHER_KEY)
    assert f"key from {changed().keys_dir / FILE} is not" in refusal(store, changed())


@pytest.mark.only_on("sqlite")
def test_case_157_a_readable_or_weak_key_refuses_to_start(store: Store, changed: Changed) -> None:
    path = write(changed(), FILE, KEY)
    path.chmod(0o644)
    assert "can be read or changed by others" in refusal(store, changed())
    assert "holds a weak key" in refusal(store, changed(bytes(range(32))))
    assert "IDP_PREVIOUS_KEY_ENCRYPTION_KEY holds a weak key" in refusal(
        store, changed(KEY, bytes(range(32)))
    )


def test_the_setting_wins_over_the_file(store: Store, changed: Changed) -> None:
    write(changed(), FILE, OTHER_KEY)
    open_sealer(store, changed(KEY))
    open_sealer(store, changed(KEY))
    assert "is not the one of this database" in refusal(store, changed())


def test_a_previous_key_alone_is_no_key(store: Store, changed: Changed) -> None:
    open_sealer(store, changed(KEY))
    assert "is missing" in refusal(store, changed(None, KEY))


def test_case_158_two_keys_are_open_while_one_replaces_the_other(
    store: Store, changed: Changed
) -> None:
    sealed = open_sealer(store, changed(KEY)).seal(b"secret", "here")
    both = open_sealer(store, changed(OTHER_KEY, KEY))
    assert both.unseal(sealed, "here") == b"secret"
    assert not both.is_current(sealed)
    fresh = both.seal(b"new", "here")
    assert open_sealer(store, changed(KEY, OTHER_KEY)).unseal(fresh, "here") == b"new"


def test_case_158_the_previous_key_may_lie_in_the_keys_folder(
    store: Store, changed: Changed
) -> None:
    open_sealer(store, changed(KEY))
    write(changed(), FILE, OTHER_KEY)
    write(changed(), PREVIOUS_FILE, KEY)
    assert open_sealer(store, changed()) is not None


def test_the_servers_own_secrets_are_made_once_and_survive(
    store: Store, changed: Changed, clock: HeldClock
) -> None:
    def opened() -> ServerSecrets:
        return ServerSecrets(store, open_sealer(store, changed(KEY)), clock)

    first = opened()
    first.ensure()
    values = [first.get(name) for name in NAMES]
    assert len(set(values)) == len(NAMES)
    assert {len(value) for value in values} == {32}
    assert [opened().get(name) for name in NAMES] == values
    assert first.get("form-protection") is first.get("form-protection")


def test_secrets_that_exist_can_be_read_inside_a_transaction(
    store: Store, changed: Changed, clock: HeldClock
) -> None:
    secrets = ServerSecrets(store, open_sealer(store, changed(KEY)), clock)
    secrets.ensure()
    with store.writing():
        assert secrets.get("account-pseudonym")
