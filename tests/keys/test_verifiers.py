"""Rotation while verifiers hold cached key sets, second by second: none ever lacks a key."""

import json
import random
from dataclasses import dataclass, field

import pytest

from idp.config import LONGEST_ACCESS_TOKEN, Settings
from idp.crypto import jwk, jwt
from idp.crypto.jwt import PublicKey
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit
from idp.domain.clock import Clock
from idp.domain.signing_keys import SigningKeys
from idp.store.database import Store
from tests.support.held_clock import HeldClock

OFFSETS = (-5, 0, 5)
"""How wrong the nodes' clocks are, seconds: the difference that is allowed."""
TOKEN_LIFE = LONGEST_ACCESS_TOKEN
ALGORITHMS = ("ES256", "RS256")


@dataclass
class Verifier:
    """Reads the key set when its max-age is over and never otherwise, from any node."""

    read_at: float = 0
    max_age: int = 0
    keys: dict[str, PublicKey] = field(default_factory=dict)

    def refresh(self, node: SigningKeys, now: float) -> None:
        if now - self.read_at < self.max_age:
            return
        found = node.jwks()
        parsed = self.keys
        keys = {key["kid"]: key for key in json.loads(found.body)["keys"]}
        self.keys = {kid: parsed.get(kid) or jwk.load_public(key) for kid, key in keys.items()}
        self.read_at, self.max_age = now, found.max_age


@dataclass(frozen=True)
class Token:
    text: str
    kid: str
    expires_at: float


@dataclass(frozen=True)
class Node:
    """A node whose clock is a little wrong."""

    keys: SigningKeys
    clock: Clock

    def sign(self, algorithm: str) -> Token:
        key = self.keys.active(algorithm)
        now = self.clock()
        return Token(key.sign({"iat": now}, "JWT"), key.kid, now + TOKEN_LIFE)


def node(
    store: Store, sealer: Sealer, audit: Audit, clock: HeldClock, offset: int, settings: Settings
) -> Node:
    def wrong() -> float:
        return clock() + offset

    return Node(SigningKeys(store, sealer, audit, wrong, settings), wrong)


@pytest.mark.parametrize(
    ("period", "rotations", "verifier_count"),
    [
        pytest.param(1, 20, 100, id="as often as publication allows"),
        # The node that is ahead archives what the one that is behind retired.
        pytest.param(135, 12, 10, id="while the tokens of old keys end"),
    ],
)
def test_case_056_no_verification_fails_while_keys_rotate(
    store: Store,
    sealer: Sealer,
    audit: Audit,
    clock: HeldClock,
    settings: Settings,
    period: int,
    rotations: int,
    verifier_count: int,
) -> None:
    chance = random.Random(56)
    update = {"key_rotation_period": period, "key_publication_margin": 0}
    short = settings.model_copy(update=update)
    nodes = [node(store, sealer, audit, clock, offset, short) for offset in OFFSETS]
    verifiers = [Verifier() for _ in range(verifier_count)]
    for one in nodes:
        one.keys.ensure()
    live: list[Token] = []
    used: dict[str, set[str]] = {algorithm: set() for algorithm in ALGORITHMS}
    while min(len(kids) for kids in used.values()) <= rotations:
        clock.advance(chance.uniform(0.5, 1.5))
        # The nodes whose clocks are behind and ahead take turns: the worst case.
        nodes[-1 if len(used["ES256"]) % 2 else 0].keys.advance()
        fresh = [one.sign(name) for one in nodes for name in ALGORITHMS]
        for token, algorithm in zip(fresh, ALGORITHMS * len(nodes), strict=True):
            used[algorithm].add(token.kid)
        live = [token for token in live + fresh if token.expires_at > clock.now]
        needed = {token.kid for token in live}
        for verifier in verifiers:
            verifier.refresh(chance.choice(nodes).keys, clock.now)
            assert needed <= verifier.keys.keys()
        for token in (*fresh, chance.choice(live), live[0]):
            found = chance.choice(verifiers).keys
            jwt.verify(token.text, found.get, algorithms=ALGORITHMS, typ="JWT")
    clock.advance(TOKEN_LIFE + 100)
    nodes[1].keys.advance()  # all old keys go, and one more rotation is due
    assert len(json.loads(nodes[1].keys.jwks().body)["keys"]) == 3 * len(ALGORITHMS)
