"""docs/reference/openapi.yaml: it says what is there, and no request that can be made from it, or
against it, is a failure of ours.
"""

from collections.abc import Sequence
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from idp.config import Settings
from idp.domain.services import Services
from idp.outbound.fetching import Fetcher
from idp.protocol import registration
from idp.protocol.client_authentication import METHODS
from idp.protocol.enabled import GRANT_TYPES
from idp.protocol.response_types import IMPLICIT, TYPES
from idp.protocol.software_statements import FIELD
from idp.web.kinds import Kind
from idp.web.routes import ROUTES
from tests.registration.registrar import METADATA, Registrar
from tests.support.checkout import ROOT
from tests.support.deployment import Deployment
from tests.support.token_client import basic

FILE = ROOT / "docs/reference/openapi.yaml"
SCHEMA = schemathesis.openapi.from_path(FILE)
RAW: dict[str, Any] = SCHEMA.raw_schema
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
MODES = tuple(GenerationMode)
CHECKED = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
ADDRESSES = (
    "https://app.example.test/callback",
    "https://app.example.test/other?kept=1",
    "https://other.example.test/",
    "http://127.0.0.1/callback",
    "com.example.app:/callback",
    "https://app.example.test/#part",
    "https://user@app.example.test/",
    "https://[::ffff:7f00:1]/",
    "https://2130706433/",
    "javascript:alert(1)",
    "http://app.example.test",
    "https://app.example.test:99999/",
)
MOST_ODD = 3
"""Fields of a good registration that are replaced by what was made up."""
schemathesis.openapi.format("uri", some.sampled_from(ADDRESSES))
everything = some.one_of(
    *(each.as_strategy(generation_mode=mode) for each in OPERATIONS for mode in MODES)
)


class Target:
    """The application, and whom it knows."""

    def __init__(self, app: Flask, deployment: Deployment, issuer: str) -> None:
        self.app = app.wsgi_app
        self.issuer = issuer
        self.registrar = Registrar(deployment.new_http(), issuer)
        webapp = deployment.client("webapp")
        self.credentials = {"Authorization": basic(webapp.client_id, webapp.client_secret)}

    def proven(self, case: "Case[Any]") -> dict[str, str]:
        """Return the header of somebody who may, and leave of the request what they could mean.

        A registration that is managed is a new one.
        """
        body = case.body if isinstance(case.body, dict) else {}
        if not case.path.startswith("/oauth2/register"):
            for name in [name for name in body if name.startswith("client_")]:
                del body[name]
            return self.credentials
        headers = {}
        if case.path_parameters and "client_id" in case.path_parameters:
            own = self.registrar.registered()
            case.path_parameters["client_id"] = own["client_id"]
            headers["Authorization"] = f"Bearer {own['registration_access_token']}"
            body.pop("client_secret", None)
            body["client_id"] = own["client_id"]
        for name in sorted(body.keys() - {"client_id"})[MOST_ODD:]:
            del body[name]
        for name in METADATA.keys() - body.keys():
            body[name] = METADATA[name]
        return headers


def unreachable(_host: str, _port: int, _seconds: float) -> Sequence[str]:
    raise OSError


@pytest.fixture
def target(app: Flask, deployment: Deployment, services: Services, settings: Settings) -> Target:
    services.fetcher.__dict__.update(Fetcher(settings, unreachable).__dict__)
    return Target(app, deployment, settings.issuer)


@pytest.mark.settings(registration="open", network_limit=10_000_000, registration_limit=10_000_000)
@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)
@given(case=everything, proven=some.booleans())
def test_every_answer_is_one_that_is_described(
    target: Target, case: "Case[Any]", proven: bool
) -> None:
    headers = target.proven(case) if proven else {}
    answer = case.call(app=target.app, base_url=target.issuer, headers=headers)
    case.validate_response(answer, checks=CHECKED)
    assert "Traceback" not in answer.text


def test_what_machines_call_is_described() -> None:
    """Userinfo's answers are as many as claims: OpenID Connect Core section 5.3 describes them."""
    served = {
        (route.path.replace("<", "{").replace(">", "}"), method.lower())
        for route in ROUTES
        if route.kind in {Kind.MACHINE, Kind.OPEN_MACHINE} and route.path.startswith("/oauth2/")
        for method in route.methods
    }
    described = {
        (path, method)
        for path, item in RAW["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert described == {each for each in served if each[0] != "/oauth2/userinfo"}


def test_what_is_described_can_be_registered() -> None:
    """A field or value that goes away, goes away here as well."""
    schemas = RAW["components"]["schemas"]
    fields = schemas["ClientMetadata"]["properties"]
    assert fields.keys() <= registration.HONOURED.keys() | {FIELD}
    assert set(fields["token_endpoint_auth_method"]["enum"]) == set(METHODS)
    assert set(fields["grant_types"]["items"]["enum"]) == {*GRANT_TYPES, IMPLICIT}
    assert set(fields["response_types"]["items"]["enum"]) == set(TYPES)
