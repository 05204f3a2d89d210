"""The plans of the suite: which modules each has, and as what relying party they are run here.

The suite goes through its lists for every response type, and again for every kind of registration
and client authentication. Here each module of each list is run, and those kinds take turns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

LINES = (Path(__file__).parent / "modules.txt").read_text("utf-8").splitlines()
MODULES = [line for line in LINES if line and not line.startswith("#")]
CALLBACK = "https://rp.example.test/callback"
SCOPES = "openid profile email address phone offline_access"
BASIC, POST = "client_secret_basic", "client_secret_post"
BY_SECRET, BY_KEY = "client_secret_jwt", "private_key_jwt"
OTHER_METHODS = (POST, BY_SECRET, BY_KEY, "none")
HYBRID_TYPES = ("code id_token", "code token", "code id_token token")
IMPLICIT_TYPES = ("id_token", "id_token token")
_SHORT = {BASIC: "basic", POST: "post", BY_SECRET: "secret_jwt", BY_KEY: "key_jwt", "none": "none"}


@dataclass(frozen=True)
class Plan:
    """How the suite runs its modules. `response_mode` None: that of the response type."""

    response_type: str = "code"
    response_mode: str | None = None
    method: str = BASIC
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
        parts = [self.response_type.replace(" ", "+"), self.response_mode, _SHORT[self.method]]
        return "-".join([*filter(None, parts), "dynamic" if self.dynamic else "static"])

    def metadata(self, **more: Any) -> dict[str, Any]:
        """Return what the suite registers, but for keys."""
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


CODE = Plan()
_NEED_A_CODE = frozenset(
    {
        "codereuse",
        "codereuse-30seconds",
        "ensure-request-with-valid-pkce-succeeds",
        "refresh-token",
    }
)
_NEED_AN_ACCESS_TOKEN = frozenset({"userinfo-get", "userinfo-post-header", "userinfo-post-body"})
_OF_THE_CODE_FLOW = frozenset({"idtoken-unsigned", "ensure-post-request-succeeds"})


def has(module: str, plan: Plan) -> bool:
    """Whether the suite has a module for a plan's response type."""
    in_front = "id_token" in plan.kinds
    conditions = {
        "ensure-request-without-nonce-fails": in_front,
        "ensure-request-without-nonce-succeeds-for-code-flow": plan.has_code and not in_front,
        "server-client-secret-post": plan.has_code and plan.method == BASIC,
        **dict.fromkeys(_NEED_A_CODE, plan.has_code),
        **dict.fromkeys(_NEED_AN_ACCESS_TOKEN, plan.has_access_token),
        **dict.fromkeys(_OF_THE_CODE_FLOW, plan.kinds == {"code"}),
    }
    return conditions.get(module, True)


def in_turn(module: str, number: int, plans: list[Plan], times: int = 1) -> Iterator[Plan]:
    """Yield `times` of those plans that have a module, the next ones for the next module, one with
    a registered client and the next with one that registered itself.
    """
    able = [plan for plan in plans if has(module, plan)]
    for time in range(times if able else 0):
        plan = able[(number + time) % len(able)]
        yield replace(plan, dynamic=bool((number // len(able) + time) % 2))


LISTS = {
    "Basic": [CODE],
    "Hybrid": [Plan(each) for each in HYBRID_TYPES],
    "Implicit": [Plan(each) for each in IMPLICIT_TYPES],
    "Form Post Basic": [Plan("code", "form_post")],
    "Form Post Hybrid": [Plan(each, "form_post") for each in HYBRID_TYPES],
    "Form Post Implicit": [Plan(each, "form_post") for each in IMPLICIT_TYPES],
    **{f"Basic by {method}": [Plan(method=method)] for method in OTHER_METHODS},
}


def plans_of(module: str) -> dict[str, list[Plan]]:
    """Return the plans that run a module of these lists, by the lists' names."""
    number = MODULES.index(module)
    twice = {"Basic", "Hybrid", "Implicit"}
    return {
        name: list(in_turn(module, number + turn, plans, 2 if name in twice else 1))
        for turn, (name, plans) in enumerate(LISTS.items())
    }


_NEED_ASSERTIONS = frozenset({"ensure-client-assertion-with-iss-aud-succeeds"})
_NEED_KEYS = frozenset({"refresh-token-rp-key-rotation", "registration-jwks-uri"})
_BEFORE_ANY_TOKEN = frozenset(
    {
        "ensure-redirect-uri-in-authorization-request",
        "redirect-uri-query-added",
        "redirect-uri-query-mismatch",
        "redirect-uri-regfrag",
        "registration-logo-uri",
        "registration-policy-uri",
        "registration-sector-bad",
        "registration-tos-uri",
        "server-rotate-keys",
    }
)


def dynamic_plans_of(module: str) -> list[Plan]:
    """Return the plans that run a module which only the Dynamic list has: by a key, as the suite
    does, and by every other method that it can be run with, where it comes to the token endpoint.
    """
    methods = [BY_KEY]
    if module in _NEED_ASSERTIONS:
        methods.append(BY_SECRET)
    elif module not in _NEED_KEYS | _BEFORE_ANY_TOKEN:
        methods += [BASIC, POST, BY_SECRET, "none"]
    return [Plan(method=method, dynamic=True) for method in methods]
