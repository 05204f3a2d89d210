"""What must hold inside a run, so that its figures mean anything."""

import json
from collections.abc import Iterable
from urllib.request import urlopen

from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import func, select, text

from bench.load import CONNECTIONS, Run, WrongAnswers
from bench.material import Material
from idp.protocol import metadata as where
from idp.store.tables import AuditEntry, table

_ENTRIES = table(AuditEntry)
_FULL = 2
_ALGORITHMS = ["ES256", "RS256"]


def durable(material: Material) -> None:
    """Check that commits reach the disk. Raises WrongAnswers."""
    store = material.parts.store
    with store.writing() as connection:
        if store.embedded:
            kept = connection.execute(text("PRAGMA synchronous")).scalar() == _FULL
        else:
            asked = [text(f"SHOW {name}") for name in ("fsync", "synchronous_commit")]
            kept = all(connection.execute(one).scalar() == "on" for one in asked)
    if not kept:
        raise WrongAnswers("Commits are not durable.")


def entries(material: Material) -> int:
    """Return how many issued tokens the audit log names."""
    return _count(material, "token.issued")


def signed_in(material: Material) -> int:
    """Return how many completed sign-ins the audit log names."""
    return _count(material, "sign_in")


def _count(material: Material, event: str) -> int:
    statement = select(func.count()).where(_ENTRIES.c.event == event, _ENTRIES.c.outcome == "done")
    with material.parts.store.reading() as connection:
        return int(connection.execute(statement).scalar_one())


def audited(written: int, run: Run, tokens: int) -> None:
    """Check for one entry for each token; what wrk no longer waited for may be more.

    Raises WrongAnswers.
    """
    beyond = written - run.answers * tokens
    if not 0 <= beyond <= CONNECTIONS * tokens:
        raise WrongAnswers(f"{run.answers} answers left {written} audit entries.")


def genuine(origin: str, samples: Iterable[str]) -> int:
    """Verify every token in the answers against the JWKS and return their number.

    Raises whatever joserfc says of a bad one.
    """
    with urlopen(origin + where.JWKS) as answer:
        keys = KeySet.import_key_set(json.load(answer))
    claims = jwt.JWTClaimsRegistry(iss={"essential": True, "value": origin})
    verified = 0
    for sample in samples:
        body = json.loads(sample)
        for name in ("access_token", "id_token"):
            if name in body:
                claims.validate(jwt.decode(body[name], keys, algorithms=_ALGORITHMS).claims)
                verified += 1
    return verified
