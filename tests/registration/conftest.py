"""Who registers clients."""

from collections.abc import Callable
from typing import Any

import pytest

from idp.domain import registration_policy
from idp.domain.services import Services
from tests.registration.registrar import Registrar
from tests.support import seeds
from tests.support.deployment import Deployment

InitialToken = Callable[..., str]


@pytest.fixture
def registrar(deployment: Deployment) -> Registrar:
    """Somebody without an initial access token."""
    return Registrar(deployment.new_http(), deployment.issuer)


@pytest.fixture
def initial_token(services: Services) -> InitialToken:
    """`initial_token(uses=3, scopes=("openid",))` returns the value of a new one."""

    def add(uses: int = 1, lifetime: int = 3600, **policy: Any) -> str:
        usual = registration_policy.of_settings(services.settings).as_json()
        _, token = services.registering.initial_tokens.add(
            "for the tests",
            registration_policy.from_json({**usual, **policy}),
            uses=uses,
            lifetime=lifetime,
            origin=seeds.ORIGIN,
            actor=seeds.OPERATOR,
        )
        return token

    return add
