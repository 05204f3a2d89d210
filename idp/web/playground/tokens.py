"""The tokens of a run, opened up: really verified against the published keys, each time they are
shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idp.domain.playground_runs import Run
from idp.protocol.token_inspection import (
    Check,
    Expected,
    Inspection,
    inspect_access_token,
    inspect_id_token,
)
from idp.web.context import services
from idp.web.playground import explanations
from idp.web.playground.client import client_of, resource_servers
from idp.web.playground.exchanges import jwks
from idp.web.playground.explanations import Row


@dataclass(frozen=True)
class Panel:
    """A token as a page shows it."""

    title: str
    raw: str
    verdict: Check | None
    checks: tuple[Check, ...]
    header_rows: list[Row]
    claim_rows: list[Row]
    note: str


def panels(run: Run) -> list[Panel]:
    """Return what there is to see of a run's tokens."""
    tokens = run.kept.tokens
    keys = jwks()
    found = []
    if "id_token" in tokens:
        found.append(_id_token(run, tokens, keys))
    if "access_token" in tokens:
        found.append(_access_token(run, tokens, keys))
    if "refresh_token" in tokens:
        note = (
            "Not a token to read but to send back: 256 random bits. The server keeps nothing of it "
            "but a digest."
        )
        found.append(Panel("Refresh token", tokens["refresh_token"], None, (), [], [], note))
    return found


def _id_token(run: Run, tokens: Mapping[str, Any], keys: Mapping[str, Any]) -> Panel:
    client = client_of(run)
    expected = Expected(
        issuer=services().settings.issuer,
        audience=client.client_id,
        jwks=keys,
        now=services().clock(),
        algorithm=client.id_token_algorithm,
        # One that comes with a refresh answers no request of the browser: it has no nonce.
        nonce=None if run.kept.refreshed else run.kept.request["nonce"],
        access_token=tokens["access_token"],
        secrets=tuple(services().clients.symmetric_secrets(client)),
    )
    note = "For this application alone: it says who signed in, when and how. Send it to nobody."
    return _panel(
        "ID token", tokens["id_token"], inspect_id_token(tokens["id_token"], expected), note
    )


def _access_token(run: Run, tokens: Mapping[str, Any], keys: Mapping[str, Any]) -> Panel:
    scopes = str(tokens.get("scope", "")).split()
    servers = [one for one in resource_servers(client_of(run)) if one.scopes.keys() & set(scopes)]
    receiver = servers[0].identifier if servers else services().settings.issuer
    expected = Expected(
        issuer=services().settings.issuer, audience=receiver, jwks=keys, now=services().clock()
    )
    note = (
        f"For the API {receiver}, which checks it as is done here. To this application it is a "
        "sealed letter: it carries it, and needs not read it."
    )
    token = tokens["access_token"]
    return _panel("Access token", token, inspect_access_token(token, expected), note)


def _panel(title: str, raw: str, inspection: Inspection, note: str) -> Panel:
    bad = [check.text for check in inspection.checks if not check.good]
    return Panel(
        title,
        raw,
        Check(bad[0] if bad else "Signature and claims are right", not bad),
        inspection.checks,
        explanations.header(inspection.header),
        explanations.claims(inspection.claims),
        note,
    )
