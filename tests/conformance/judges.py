"""The relying party that the suite plays: how it is registered in a plan, and what it checks of
every answer, with a library that nobody here wrote.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import requests
from joserfc import jwt
from joserfc.jwk import Key, KeySet

from tests.conformance.plans import BY_KEY, BY_SECRET, Plan
from tests.registration.registrar import Registrar
from tests.support.browserless import Browserless
from tests.support.exam import Exam
from tests.support.seeds import add_client
from tests.support.signed import BEARER, new_key, public, sign
from tests.support.token_client import TokenClient
from tests.support.token_parts import claims_of, header_of

_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
UNSIGNED = "none"


@cache
def key(kid: str = "judge") -> Key:
    """Return the judges' key of that name, made once: that takes a while."""
    return new_key("RS256", kid)


@dataclass
class Outcome:
    """What one authorization came to: the front channel's answer, and the token endpoint's."""

    front: dict[str, str]
    back: dict[str, Any]
    claims: dict[str, Any] = field(default_factory=dict)
    """Of the ID token, verified; the token endpoint's where there are two."""

    @property
    def access_token(self) -> str:
        """The access token, the token endpoint's where there are two."""
        return str(self.back.get("access_token") or self.front["access_token"])

    @property
    def id_token(self) -> str:
        """The ID token that `claims` are of."""
        return str(self.back.get("id_token") or self.front["id_token"])


class Judge(TokenClient):
    """A relying party that takes nothing for granted. Like the suite it does without PKCE, if it
    has a secret or a key.

    `assertion` are claims of its client assertions that are not the usual ones.
    """

    def __init__(
        self,
        plan: Plan,
        client: TokenClient,
        clock: Callable[[], float],
        algorithm: str = "RS256",
    ) -> None:
        super().__init__(
            client.http,
            client.discovery,
            client.client_id,
            client.client_secret,
            redirect_uri=client.redirect_uri,
        )
        self.method = plan.method
        self.plan = plan
        self.algorithm = algorithm
        self.key = key()
        self.assertion: dict[str, Any] = {}
        self._clock = clock
        self._public = plan.method == "none"

    def authorization(self, scope: str = "openid", **changes: str | None) -> dict[str, str]:
        """Return a request of this plan; `code_challenge` and its method only if they are given."""
        plain = dict.fromkeys(() if self._public else ("code_challenge", "code_challenge_method"))
        how = {
            "response_type": self.plan.response_type,
            "response_mode": self.plan.response_mode,
        }
        return super().authorization(scope, **{**plain, **how, **changes})

    def redeem(self, callback: dict[str, str], **changes: str | None) -> Any:
        """Exchange the code, without a verifier unless one is given or the client is public."""
        plain = dict.fromkeys(() if self._public else ("code_verifier",))
        return super().redeem(callback, **{**plain, **changes})

    def post(
        self, endpoint: str, parameters: dict[str, str], **changes: str | None
    ) -> requests.Response:
        """Post a form, with an assertion where the client proves itself by that (section 9)."""
        if self.method in {BY_SECRET, BY_KEY}:
            parameters |= {"client_assertion_type": BEARER, "client_assertion": self._assertion()}
        return super().post(endpoint, parameters, **changes)

    def _assertion(self) -> str:
        now = int(self._clock())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.discovery["token_endpoint"],
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
            **self.assertion,
        }
        if self.method == BY_SECRET:
            return sign(claims, self.client_secret, "HS256")
        return sign(claims, self.key, "RS256")

    def run(self, browser: Browserless, scope: str = "openid", **changes: str | None) -> Outcome:
        """Go through one authorization from start to end, checking all there is."""
        sent = self.authorization(scope, **changes)
        return self.judged(sent, browser.authorize(sent))

    def judged(self, sent: dict[str, str], found: dict[str, str]) -> Outcome:
        """Check what answers a request, exchange the code, and check what that gives."""
        assert "error" not in found, found
        assert found.get("state") == sent.get("state")
        assert found.get("iss") == self.discovery.issuer
        assert self.plan.kinds == {
            {"access_token": "token"}.get(name, name)
            for name in ("code", "id_token", "access_token")
            if name in found
        }
        if "access_token" in found:
            assert found["token_type"].lower() == "bearer"
            assert int(found["expires_in"]) > 0
        outcome = Outcome(found, {})
        nonce = sent.get("nonce")
        if "id_token" in found:
            outcome.claims = self.verified(found["id_token"], nonce)
            self._assert_hashes(outcome.claims, found)
        if "code" in found:
            self._exchange(outcome, nonce)
        return outcome

    def _exchange(self, outcome: Outcome, nonce: str | None) -> None:
        answer = self.redeem(outcome.front)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        outcome.back = answer.json()
        assert outcome.back["token_type"].lower() == "bearer"
        claims = self.verified(outcome.back["id_token"], nonce)
        for name in ("iss", "sub") if outcome.claims else ():
            assert claims[name] == outcome.claims[name], name
        if "at_hash" in claims:
            assert claims["at_hash"] == self.half(outcome.back["access_token"])
        outcome.claims = claims

    def verified(self, id_token: str, nonce: str | None = None) -> dict[str, Any]:
        """Return the claims, checked as OpenID Connect Core section 3.1.3.7 says."""
        claims = self.opened(id_token)
        assert claims["iss"] == self.discovery.issuer
        assert claims["aud"] in (self.client_id, [self.client_id])
        assert claims.get("azp", self.client_id) == self.client_id
        assert claims["exp"] > claims["iat"]
        assert claims.get("nonce") == nonce
        assert 1 <= len(claims["sub"].encode()) <= 255
        return claims

    def opened(self, token: str) -> dict[str, Any]:
        """Return what a token says that the server signed."""
        header = header_of(token)
        assert header["alg"] == self.algorithm
        if self.algorithm == UNSIGNED:
            assert token.endswith(".")
            return claims_of(token)
        published = self.http.get(self.discovery["jwks_uri"]).json()
        assert header["kid"] in {each["kid"] for each in published["keys"]}
        keys = KeySet.import_key_set(published)
        return dict(jwt.decode(token, keys, algorithms=[self.algorithm]).claims)

    def _assert_hashes(self, claims: dict[str, Any], found: dict[str, str]) -> None:
        """Check what binds the rest of the answer to the ID token (section 3.3.2.11)."""
        for name, value in (("c_hash", "code"), ("at_hash", "access_token")):
            assert claims.get(name) == (self.half(found[value]) if value in found else None), name
        if "s_hash" in claims:
            assert claims["s_hash"] == self.half(found["state"])

    def half(self, value: str) -> str:
        """Return the left half of a value's hash, by the ID token's algorithm."""
        digest = _HASHES[self.algorithm[-3:]](value.encode()).digest()
        return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


class Judges:
    """Registers relying parties: static ones as an operator does, dynamic ones over https."""

    def __init__(self, exam: Exam, new_client: Callable[..., TokenClient]) -> None:
        self._exam = exam
        self._new_client = new_client

    def judge(self, plan: Plan, **metadata: Any) -> Judge:
        """Return a relying party of that plan: the plan's static one, unless there is metadata of
        its own, or one that registers itself now. None leaves out what is usual.
        """
        keys = {"jwks": public(key())} if plan.method == BY_KEY else {}
        wanted = plan.metadata(**{**keys, **metadata})
        wanted = {name: value for name, value in wanted.items() if value is not None}
        client = self._registered(wanted) if plan.dynamic else self._added(plan, wanted, metadata)
        algorithm = wanted.get("id_token_signed_response_alg", "RS256")
        return Judge(plan, client, self._exam.clock, algorithm)

    def _registered(self, wanted: dict[str, Any]) -> TokenClient:
        registrar = self.registrar()
        registration = registrar.registered(wanted)
        return self._client(
            registration["client_id"], registration.get("client_secret", ""), wanted
        )

    def _added(self, plan: Plan, wanted: dict[str, Any], own: dict[str, Any]) -> TokenClient:
        added = self._exam.added
        name = plan if not own else len(added)
        if name not in added:
            client_id = f"static-{len(added)}"
            details = wanted | {"require_pkce": plan.method == "none"}
            added[name] = client_id, add_client(self._exam.services, details, client_id)
        return self._client(*added[name], wanted)

    def _client(self, client_id: str, secret: str, wanted: dict[str, Any]) -> TokenClient:
        return self._new_client(client_id, secret, redirect_uri=wanted["redirect_uris"][0])

    def registrar(self) -> Registrar:
        """Return who registers clients."""
        return Registrar(self._new_client("", "").http, self._exam.issuer)
