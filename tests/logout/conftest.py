"""Clients that are told of sign-outs: their servers, and what came there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from idp.domain.logout_delivery import LogoutDelivery
from idp.domain.services import Services
from idp.outbound.fetching import FetchFailed
from idp.store import session_clients


@dataclass
class Told:
    """What clients were told: address and token of each post. `answers` are the next statuses, or
    a reason for which nothing can be sent; then 200.
    """

    posts: list[tuple[str, str]] = field(default_factory=list)
    answers: list[int | str] = field(default_factory=list)

    def __call__(self, url: str, form: Any) -> int:
        """Stand in for the way out."""
        self.posts.append((url, form["logout_token"]))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, str):
            raise FetchFailed(answer)
        return answer


@pytest.fixture
def told() -> Told:
    """What clients were told."""
    return Told()


@pytest.fixture
def delivery(services: Services, app: Flask, told: Told) -> LogoutDelivery:
    """Tells clients through `told`, when a test says so."""
    mint = app.extensions["doorward-oauth"].parts.mint
    return LogoutDelivery(
        services.store,
        services.clients,
        services.audit,
        services.clock,
        mint.logout_token,
        told,
    )


@pytest.fixture
def notices(services: Services) -> Callable[[], list[dict[str, Any]]]:
    """`notices()` is every notice of the database."""

    def look() -> list[dict[str, Any]]:
        with services.store.reading() as connection:
            return session_clients.notices(connection)

    return look
