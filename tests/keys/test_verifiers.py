"""Rotation while verifiers hold cached key sets, second by second: none ever lacks a key."""

import json
import random
from collections import deque
from dataclasses import dataclass, field

from idp.config import Settings
from idp.crypto import jwk, jwt
from idp.crypto.jwt import PublicKey
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit
from idp.domain.signing_keys import SigningKeys
from idp.store.database import Store
from tests.support.held_clock import HeldClock

ROTATIONS = 20
NODES = 3
VERIFIERS = 100
TOKEN_LIFE = 600
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


def signed(node: SigningKeys, algorithm: str, now: float) -> Token:
    key = node.active(algorithm)
    return Token(key.sign({"iat": now}, "JWT"), key.kid, now + TOKEN_LIFE)


def test_case_056_no_verification_fails_while_keys_rotate_twenty_times(
    store: Store, sealer: Sealer, audit: Audit, clock: HeldClock, settings: Settings
) -> None:
    chance = random.Random(56)
    short = settings.model_copy(update={"key_rotation_period": 20, "key_publication_margin": 0})
    nodes = [SigningKeys(store, sealer, audit, clock, short) for _ in range(NODES)]
    verifiers = [Verifier() for _ in range(VERIFIERS)]
    for node in nodes:
        node.ensure()
    live: deque[Token] = deque()
    used: dict[str, set[str]] = {algorithm: set() for algorithm in ALGORITHMS}
    while min(len(kids) for kids in used.values()) <= ROTATIONS:
        clock.advance(1)
        chance.choice(nodes).advance()
        fresh = [signed(node, name, clock.now) for node in nodes for name in ALGORITHMS]
        for token, algorithm in zip(fresh, ALGORITHMS * NODES, strict=True):
            used[algorithm].add(token.kid)
        live.extend(fresh)
        while live[0].expires_at <= clock.now:
            live.popleft()
        needed = {token.kid for token in live}
        for verifier in verifiers:
            verifier.refresh(chance.choice(nodes), clock.now)
            assert needed <= verifier.keys.keys()
        for token in (*fresh, chance.choice(live), live[0]):
            found = chance.choice(verifiers).keys
            jwt.verify(token.text, found.get, algorithms=ALGORITHMS, typ="JWT")
    clock.advance(TOKEN_LIFE + 400)
    nodes[0].advance()  # all old keys go, and one more rotation is due
    assert len(json.loads(nodes[0].jwks().body)["keys"]) == 3 * len(ALGORITHMS)
