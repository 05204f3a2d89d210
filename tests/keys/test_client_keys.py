"""Keys of clients: registered or published, and looked for anew when one is not known."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import Key

from idp.crypto import foreign_jwt
from idp.crypto.foreign_jwt import ForeignToken
from idp.domain import client_keys
from idp.domain.client_keys import ClientKeys, NoKeys
from idp.domain.clients import Client
from idp.domain.remote_documents import Fetched, FetchFailed, RemoteDocuments
from tests.support.held_clock import HeldClock
from tests.support.registered import client as registered
from tests.support.signed import new_key, public, sign

URL = "https://app.example.test/jwks.json"


class Publisher:
    """A client's server, which answers as the guarded fetcher would."""

    def __init__(self, *keys: Key) -> None:
        self.document: Any = public(*keys)
        self.asked = 0
        self.fails = False

    def get(self, url: str, *, accept: tuple[str, ...], largest: int = 0) -> Fetched:
        assert (url, accept, largest) == (URL, client_keys.MEDIA_TYPES, client_keys.LARGEST)
        self.asked += 1
        if self.fails:
            raise FetchFailed("status 500")
        return Fetched(json.dumps(self.document).encode(), accept[0], None)


def by(**details: Any) -> Client:
    return replace(registered(), details=details)


def signed(key: Key) -> ForeignToken:
    return foreign_jwt.read(sign({}, key))


def keys_at(publisher: Publisher, clock: HeldClock) -> ClientKeys:
    return ClientKeys(RemoteDocuments(publisher, clock), clock)


def kids(found: Sequence[Any]) -> list[str]:
    return [key.kid for key in found]


def test_registered_keys_need_no_fetch(clock: HeldClock) -> None:
    publisher, mine, other = Publisher(), new_key(), new_key(kid="other")
    keys, client = keys_at(publisher, clock), by(jwks=public(mine))
    assert keys.verify(client, signed(mine))
    assert not keys.verify(client, signed(other))
    assert kids(keys.find(client, "first", "ES256", "sig")) == ["first"]
    assert kids(keys.find(client, None, "ECDH-ES", "enc")) == ["first"]
    assert not keys.find(by(), None, "ES256", "sig")
    assert not keys.verify(by(), signed(mine))
    assert publisher.asked == 0


def test_published_keys_are_kept_and_rotate(clock: HeldClock) -> None:
    old, new = new_key(kid="old"), new_key(kid="new")
    publisher, client = Publisher(old), by(jwks_uri=URL)
    keys = keys_at(publisher, clock)
    for _ in range(3):
        assert keys.verify(client, signed(old))
    assert publisher.asked == 1
    publisher.document = public(new)
    assert keys.verify(client, signed(new)), "an unknown key is looked for at once"
    assert publisher.asked == 2
    assert not keys.verify(client, signed(old))
    same_name = new_key(kid="new")
    publisher.document = public(same_name)
    assert keys.verify(client, signed(same_name)), "a key that was replaced under its name too"
    assert kids(keys.find(client, None, "ES256", "sig")) == ["new"]


def test_case_082_unknown_keys_make_us_ask_a_few_times_only(clock: HeldClock) -> None:
    publisher, other = Publisher(new_key()), new_key(kid="unknown")
    keys, client = keys_at(publisher, clock), by(jwks_uri=URL)
    for _ in range(50):
        assert not keys.verify(client, signed(other))
        assert not keys.find(client, "unknown", "ES256", "sig")
    assert publisher.asked == 1 + client_keys.MOST_REFRESHES
    clock.advance(client_keys.REFRESH_PERIOD)
    for _ in range(50):
        keys.verify(client, signed(other))
    assert publisher.asked == 1 + 2 * client_keys.MOST_REFRESHES


def test_keys_that_cant_be_had_prove_nothing(clock: HeldClock) -> None:
    key = new_key()
    publisher, client = Publisher(key), by(jwks_uri=URL)
    publisher.fails = True
    keys = keys_at(publisher, clock)
    for _ in range(9):
        with pytest.raises(NoKeys) as failed:
            keys.verify(client, signed(key))
        assert failed.value.reason == "jwks_uri: status 500"
    assert publisher.asked == 1, "what failed is not asked for again at once"
    private = {"keys": [key.as_dict(private=True)]}
    odd: list[Any] = [[], {}, {"keys": 5}, private, "keys"]
    for document in odd:
        publisher.fails, publisher.document = False, document
        with pytest.raises(NoKeys, match="can't be had"):
            keys_at(publisher, clock).verify(client, signed(key))


def test_while_a_server_fails_the_keys_that_are_known_verify(clock: HeldClock) -> None:
    key = new_key()
    publisher, client = Publisher(key), by(jwks_uri=URL)
    keys = keys_at(publisher, clock)
    assert keys.verify(client, signed(key))
    publisher.fails = True
    clock.advance(600)
    assert keys.verify(client, signed(key))
    clock.advance(3600)
    with pytest.raises(NoKeys):
        keys.verify(client, signed(key))
