"""Decisions asked of a policy engine: the Access Evaluation API of AuthZEN 1.0.

Only `"decision": true` lets anybody in. Whatever else comes, or does not, keeps them out.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from idp.guard.access_token import AccessToken
from idp.guard.documents import json_object
from idp.guard.errors import Unavailable
from idp.guard.http_client import Http
from idp.guard.needs import Question
from idp.guard.settings import Settings

_LONGEST_REASON = 500


@dataclass(frozen=True)
class Verdict:
    """What the engine answered, with the reason that may be told to the caller."""

    allowed: bool
    reason: str = ""


class PolicyEngine:
    """The engine of the settings. `proof` gives the Authorization header that it wants."""

    def __init__(self, settings: Settings, http: Http, proof: Callable[[], str]) -> None:
        self._settings = settings
        self._http = http
        self._proof = proof

    def __call__(self, token: AccessToken, question: Question) -> Verdict:
        """Ask whether the token's subject may. Raises Unavailable."""
        headers = {
            "Authorization": self._proof(),
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Request-ID": str(uuid.uuid4()),
        }
        body = json.dumps(_evaluation(token, question), allow_nan=False).encode()
        url, seconds = self._settings.engine, self._settings.engine_timeout
        answer = json_object(self._http.send("POST", url, headers, body, seconds), url)
        decision = answer.get("decision")
        if not isinstance(decision, bool):
            raise Unavailable(f"{url} answered no decision")
        return Verdict(decision, "" if decision else _reason(answer.get("context")))


def _evaluation(token: AccessToken, question: Question) -> dict[str, Any]:
    """Return an Access Evaluation request: what the token says of its subject comes with it."""
    about = {
        "client_id": token.client_id,
        "scopes": sorted(token.scopes),
        "roles": sorted(token.roles),
        "groups": sorted(token.groups),
        "acr": token.acr,
        "amr": list(token.amr),
        "auth_time": token.auth_time,
    }
    kept = {name: value for name, value in about.items() if value not in (None, "", [])}
    return {
        "subject": {
            "type": "client" if token.is_client else "user",
            "id": token.subject,
            "properties": kept,
        },
        "action": {"name": question.action},
        "resource": {
            "type": question.resource_type,
            "id": question.resource_id,
            "properties": dict(question.properties),
        },
        "context": dict(question.context),
    }


def _reason(context: Any) -> str:
    """Return what the engine lets users know: a text, or texts by status or language.

    Reasons for administrators are none of the caller's business.
    """
    said = context.get("reason_user") if isinstance(context, Mapping) else None
    if isinstance(said, Mapping):
        texts = [said.get(name) for name in ("403", "en", "en-403")] + list(said.values())
        said = next((each for each in texts if isinstance(each, str)), None)
    return said[:_LONGEST_REASON] if isinstance(said, str) else ""
