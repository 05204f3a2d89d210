"""The relying party that the suite plays: how it is registered in a plan, and what it checks of
every answer, with a library that nobody here wrote.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet

from tests.registration.registrar import Registrar
from tests.support.browserless import Browserless
from tests.support.exam import Exam
from tests.support.seeds import add_client
from tests.support.token_client import TokenClient
from tests.support.token_parts import header_of

CALLBACK = "https://rp.example.test/callback"
SCOPES = "openid profile email address phone offline_access"
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


@dataclass(frozen=True)
class Plan:
    """How the suite runs its modules. `response_mode` None: that of the response type."""

    response_type: str = "code"
    response_mode: str | None = None
    method: str = "client_secret_basic"
    dynamic: bool = False

    @property
    def kinds(self) -> frozenset[str]:
        """What the response type asks for."""
        return frozenset(self.response_type.split())

    @property
    def has_code(self) -> bool:
        """Whether there is a code to exchange."""
        return "code" in self.kinds

    @property
    def has_access_token(self) -> bool:
        """Whether there is an access token, so that claims come from userinfo."""
        return self.has_code or "token" in self.kinds

    def __str__(self) -> str:
        """Name the plan as a test's parameter."""
        parts = [self.response_type.replace(" ", "+"), self.response_mode, self.method[7:]]
        return "-".join([*filter(None, parts), "dynamic" if self.dynamic else "static"])

    def metadata(self, **more: Any) -> dict[str, Any]:
        """Return what the suite registers."""
        grants = ["authorization_code", "refresh_token"] if self.has_code else []
        if self.response_type != "code":
            grants.append("implicit")
        return {
            "client_name": "A candidate's judge",
            "redirect_uris": [CALLBACK],
            "grant_types": grants,
            "response_types": [self.response_type],
            "token_endpoint_auth_method": self.method,
            "scope": SCOPES,
            **more,
        }


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
    """A relying party that takes nothing for granted. It does without PKCE, as the suite does."""

    def __init__(self, plan: Plan, client: TokenClient, algorithm: str = "RS256") -> None:
        super().__init__(
            client.http,
            client.discovery,
            client.client_id,
            client.client_secret,
            redirect_uri=client.redirect_uri,
            method=plan.method,
        )
        self.plan = plan
        self.algorithm = algorithm

    def authorization(self, scope: str = "openid", **changes: str | None) -> dict[str, str]:
        """Return a request of this plan; `code_challenge` and its method only if they are given."""
        plain = {"code_challenge": None, "code_challenge_method": None}
        how = {
            "response_type": self.plan.response_type,
            "response_mode": self.plan.response_mode,
        }
        return super().authorization(scope, **{**plain, **how, **changes})

    def redeem(self, callback: dict[str, str], **changes: str | None) -> Any:
        """Exchange the code, without a verifier unless one is given."""
        return super().redeem(callback, **{"code_verifier": None, **changes})

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
        header = header_of(id_token)
        assert header["alg"] == self.algorithm
        published = self.http.get(self.discovery["jwks_uri"]).json()
        assert header["kid"] in {key["kid"] for key in published["keys"]}
        keys = KeySet.import_key_set(published)
        token = jwt.decode(id_token, keys, algorithms=[self.algorithm])
        claims: dict[str, Any] = dict(token.claims)
        assert claims["iss"] == self.discovery.issuer
        assert claims["aud"] in (self.client_id, [self.client_id])
        assert claims.get("azp", self.client_id) == self.client_id
        assert claims["exp"] > claims["iat"]
        assert claims.get("nonce") == nonce
        assert 1 <= len(claims["sub"].encode()) <= 255
        return claims

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
        """Return a new relying party of that plan, with more metadata."""
        wanted = plan.metadata(**metadata)
        algorithm = wanted.get("id_token_signed_response_alg", "RS256")
        if plan.dynamic:
            registrar = self._registrar()
            return Judge(plan, registrar.client(registrar.registered(wanted)), algorithm)
        client_id = f"static-{plan}-{len(self._exam.added)}"
        secret = add_client(self._exam.services, wanted | {"require_pkce": False}, client_id)
        self._exam.added.append(client_id)
        uri = wanted["redirect_uris"][0]
        client = self._new_client(client_id, secret, redirect_uri=uri, method=plan.method)
        return Judge(plan, client, algorithm)

    def _registrar(self) -> Registrar:
        http = self._new_client("", "").http
        return Registrar(http, self._exam.issuer)


CODE = Plan()
PLANS = (CODE, Plan(dynamic=True))
