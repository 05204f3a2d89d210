"""Software statements: RFC 7591 section 2.3, and what the answer says of them (section 3.2.1)."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from idp.config import ConfigurationError
from idp.crypto import jwk
from tests.registration.registrar import METADATA, Registrar
from tests.support import in_process
from tests.support.application import ISSUER, Seeded, running, settings_for
from tests.support.held_clock import HeldClock

TRUSTED, OTHER = "https://store.example.test", "https://other.example.test"
NOW = 1_800_000_000
KEY, OTHERS_KEY = jwk.generate("ES256"), jwk.generate("Ed25519")


def statement(
    claims: dict[str, Any], key: jwk.NewKey = KEY, issuer: str | None = TRUSTED, typ: str = "JWT"
) -> str:
    """Return a signed statement."""
    signer = jwk.load_private(key.kid, key.algorithm, key.private)
    return signer.sign({**claims, **({"iss": issuer} if issuer else {})}, typ)


@pytest.fixture
def issuers(tmp_path: Path) -> Path:
    """The operator's file."""
    file = tmp_path / "issuers.json"
    sets = {TRUSTED: {"keys": [KEY.public_jwk]}, OTHER: {"keys": [OTHERS_KEY.public_jwk]}}
    file.write_text(json.dumps(sets))
    return file


def test_a_statement_wins_and_is_repeated(
    seeded: Seeded, tmp_path: Path, issuers: Path, clock: HeldClock
) -> None:
    more = {"registration": "open", "software_statement_issuers": str(issuers)}
    with running(settings_for(seeded.database, tmp_path / "keys", **more), clock) as app:
        registrar = _registrar(app)
        _check_what_wins(registrar)
        _check_what_is_refused(registrar)


def _registrar(app: Flask) -> Registrar:
    return Registrar(in_process.session(app, ISSUER), ISSUER)


def _check_what_wins(registrar: Registrar) -> None:
    said = {"client_name": "Approved", "software_id": "atlas-1", "sub": "x", "jti": "y"}
    vouched = statement({**said, "aud": [ISSUER, "https://another.example"], "exp": NOW + 60})
    told = registrar.registered(client_name="Made up", software_statement=vouched)
    assert (told["client_name"], told["software_id"]) == ("Approved", "atlas-1")
    assert told["software_statement"] == vouched
    assert not {"sub", "jti", "iss"} & told.keys()
    assert registrar.get(told).json()["software_statement"] == vouched
    # A change without it is one of a client that nobody vouches for.
    changed = registrar.put(told, **METADATA).json()
    assert changed["client_name"] == METADATA["client_name"]
    assert not {"software_statement", "software_id"} & changed.keys()
    # What a statement says is within bounds all the same.
    for claims in ({"first_party": True}, {"scope": "notes:read"}, {"redirect_uris": ["x"]}):
        answer = registrar.post(software_statement=statement(claims))
        assert answer.status_code == 400


def _check_what_is_refused(registrar: Registrar) -> None:
    name = {"client_name": "Approved"}
    unsigned = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL3N0b3JlLmV4YW1wbGUudGVzdCJ9."
    refused = {
        "unapproved_software_statement": (
            statement(name, issuer="https://nobody.example"),
            statement(name, issuer=None),
            statement({"iss": [TRUSTED]}, issuer=None),
        ),
        "invalid_software_statement": (
            7,
            "not.a.statement",
            unsigned,
            statement(name, OTHERS_KEY),
            statement(name)[:-8] + "AAAAAAAA",
            statement(name, typ="at+jwt"),
            statement({**name, "aud": OTHER}),
            statement({**name, "exp": NOW - 10}),
            statement({**name, "exp": "tomorrow"}),
            statement({**name, "nbf": NOW + 60}),
            statement({**name, "iat": NOW + 60}),
        ),
    }
    for code, statements in refused.items():
        for sent in statements:
            answer = registrar.post(software_statement=sent)
            assert (answer.status_code, answer.json()["error"]) == (400, code), sent


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"https://a.example": {}}', '{"https://a.example": {"keys": [{"kty": "oct"}]}}'],
)
@pytest.mark.only_on("sqlite")
def test_a_file_that_can_not_be_used_is_told_at_start(
    seeded: Seeded, tmp_path: Path, issuers: Path, clock: HeldClock, content: str
) -> None:
    issuers.write_text(content)
    settings = settings_for(
        seeded.database, tmp_path / "keys", software_statement_issuers=str(issuers)
    )
    with (
        pytest.raises(ConfigurationError, match="IDP_SOFTWARE_STATEMENT_ISSUERS"),
        running(settings, clock),
    ):
        pytest.fail("it started")
