"""The Field Notes archive, a resource server with FastAPI: one table says who may come where.

What the table does not name is closed, FastAPI's own pages too.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request

from idp import guard
from idp.guard import AccessToken, Guard, Http, Needs, Published, Route
from idp.guard.asgi import GuardedASGI, current_token

ROUTES = [
    Route("GET", "/health", None),
    Route("GET", "/boxes", Needs("archive:read")),
    Route("DELETE", "/boxes/{name}", Needs("archive:write", roles="archivist")),
]


@dataclass(frozen=True)
class Settings:
    """The configuration. `identifier` is the archive's address, and in the `aud` of tokens."""

    issuer: str
    identifier: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from the environment. Raises SystemExit naming all that is missing."""
        names = ["ISSUER", "RESOURCE"]
        if missing := [name for name in names if not environment.get(name)]:
            raise SystemExit(
                f"Set {', '.join(missing)}: examples/README.md says where to get them."
            )
        return cls(*(environment[name] for name in names))


def token(request: Request) -> AccessToken:
    """Return the token that the guard found good."""
    return current_token(request.scope)


Token = Annotated[AccessToken, Depends(token)]


def create_app(
    settings: Settings, http: Http | None = None, clock: Callable[[], float] = time.time
) -> GuardedASGI:
    """Build the application. Tests bring a connection and a clock of their own."""
    app = FastAPI(title="Field Notes archive")
    boxes = {"1843": "Notes on the engine", "1947": "A moth"}

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"archive": "open"}

    @app.get("/boxes")
    def read(token: Token) -> dict[str, object]:
        return {"reader": token.subject, "boxes": sorted(boxes)}

    @app.delete("/boxes/{name}", status_code=204)
    def discard(name: str) -> None:
        if boxes.pop(name, None) is None:
            raise HTTPException(404)

    door = Guard(
        guard.Settings(
            issuer=settings.issuer,
            resource=settings.identifier,
            realm="Field Notes archive",
            published=Published(("archive:read", "archive:write"), "Field Notes archive"),
        ),
        http,
        clock,
    )
    return GuardedASGI(app, door, ROUTES)
