"""The server as certification meets it: `idp serve` behind nginx, its issuer https on loopback.

One for each kind of database and run, since its start takes 2 s: tests must not mind what others
left there. Its time is the machine's, and goes on by hand besides.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from idp.app import services_of
from idp.domain.services import Services
from tests.support import databases, idp_ahead, proxy, tls_site
from tests.support.application import Seeded, Templates, running, settings_for
from tests.support.certificates import Authority
from tests.support.deployment import Deployment
from tests.support.discovery import Discovery
from tests.support.idp_ahead import AheadClock
from tests.support.ports import free_port
from tests.support.postgres_server import PostgresServer
from tests.support.serving import HOST, Serving, nodes_over
from tests.support.tls_site import Site

# Limits on strangers, since all come from one address; registration as the suite needs it, and what
# an operator has to allow.
_SETTINGS = {
    "trusted_proxies": f"{HOST}/32",
    "network_limit": 1_000_000,
    "registration": "open",
    "registration_limit": 1_000_000,
    "registration_require_pkce": False,
    "registration_trusted": True,
    "developer_service_scopes": "notes:read",
    "front_channel_tokens": True,
    "signing_algorithms": "RS256,ES256,PS256,ES384,EdDSA,HS256,none",
}


class _Kept(HTTPAdapter):
    """Connections that outlive the sessions of one test, so that a handshake serves many."""

    def close(self) -> None:
        """Leave them open: whoever made it ends it."""

    def end(self) -> None:
        """Close them."""
        super().close()


@dataclass
class Exam:
    """A deployment behind nginx. `http` makes sessions that trust its authority; `site` is an https
    server that it may ask.
    """

    serving: Serving
    authority: Authority
    clock: AheadClock
    plain_port: int
    site: Site
    services: Services
    """The parts of an application of the test's own over the same database, to arrange things."""
    added: dict[object, tuple[str, str]] = field(default_factory=dict)
    """Names and secrets of the clients that tests added to it for each other."""
    connections: _Kept = field(default_factory=_Kept)

    @property
    def issuer(self) -> str:
        """Its https origin."""
        return self.serving.issuer

    def deployment(self, new_http: Callable[[], requests.Session]) -> Deployment:
        """Return those who know it."""
        return Deployment(self.issuer, self.serving.seeded.seeds, new_http)

    def session(self) -> requests.Session:
        """Return a session without cookies, which whoever asked for it closes."""
        http = requests.Session()
        http.trust_env = False
        http.verify = str(self.authority.file)
        http.mount(self.issuer, self.connections)
        return http

    @cached_property
    def discovery(self) -> Discovery:
        """What it says of itself, read once."""
        return Discovery(self.session(), self.issuer)


class Exams:
    """Starts a deployment for each kind of database when first asked."""

    def __init__(self, stack: ExitStack, folder: Path, templates: Templates) -> None:
        self._stack = stack
        self._folder = folder
        self._templates = templates
        self._started: dict[tuple[str, str], Exam] = {}

    def of(self, kind: str, server: PostgresServer | None, name: str = "exam") -> Exam:
        """Return the deployment of that name over that kind of database."""
        if (kind, name) not in self._started:
            self._started[kind, name] = self._start(kind, server, self._folder / f"{kind}-{name}")
        return self._started[kind, name]

    def _start(self, kind: str, server: PostgresServer | None, folder: Path) -> Exam:
        template = self._templates.of(kind, server, real_time=True)
        database = databases.copied(template.database, folder / "data", server)
        self._stack.callback(databases.dropped, database, server)
        port, plain_port = free_port(), free_port()
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "ahead"
        clock = AheadClock(file)
        clock.advance(0)
        site = self._stack.enter_context(tls_site.serving(folder / "site"))
        wanted = _SETTINGS | {
            "outbound_origins": site.origin(),
            "outbound_ca_file": str(site.authority),
        }
        start = self._stack.enter_context(nodes_over(Seeded(database, template.seeds), folder))
        serving = start(
            issuer=f"https://localhost:{port}",
            program=(sys.executable, "-m", idp_ahead.__name__),
            environment={idp_ahead.VARIABLE: str(file)},
            **wanted,
        )
        settings = settings_for(database, folder / "keys", issuer=serving.issuer, **wanted)
        app = self._stack.enter_context(running(settings, clock))
        authority = Authority(folder / "tls")
        self._stack.enter_context(
            proxy.nginx(
                folder / "nginx",
                authority.issue(),
                port=port,
                plain_port=plain_port,
                inside=serving.nodes[0].port,
            )
        )
        exam = Exam(serving, authority, clock, plain_port, site, services_of(app))
        self._stack.callback(exam.connections.end)
        return exam


@pytest.fixture(scope="session")
def exams(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Exams]:
    """The deployments of this run (for each worker of xdist, its own)."""
    with ExitStack() as stack:
        yield Exams(stack, tmp_path_factory.mktemp("exam"), templates)


@pytest.fixture
def exam(
    request: pytest.FixtureRequest, database_kind: str, postgres_if_wanted: PostgresServer | None
) -> Exam:
    """The deployment behind nginx. Ask for it last: what it needs stays for the whole run."""
    started: Any = request.getfixturevalue("exams")
    found: Exam = started.of(database_kind, postgres_if_wanted)
    return found


@pytest.fixture
def https(exam: Exam) -> Iterator[Callable[[], requests.Session]]:
    """`https()` is a session at the deployment behind nginx, closed when the test ends."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(exam.session())
