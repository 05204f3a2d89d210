"""The server as it runs in production: `idp serve` in processes of its own, on loopback.

Several nodes are several gunicorn masters over one database, with one issuer. Requests are spread
over them in turn, so that who answered is known without asking the server.
"""

import itertools
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.support import databases, warm_command
from tests.support.application import KEY_ENCRYPTION_KEY, Seeded, Templates
from tests.support.checkout import BIN, ROOT
from tests.support.deployment import Deployment
from tests.support.ports import free_port
from tests.support.postgres_server import PostgresServer

READY_SECONDS = 60
STOP_SECONDS = 15
HOST = "127.0.0.1"


@dataclass
class Node:
    """One gunicorn master with its workers."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def workers(self) -> list[int]:
        """Return the process ids of its workers."""
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def kill(self) -> None:
        """End it with its workers, unasked."""
        workers = psutil.Process(self.process.pid).children()
        self.process.kill()
        self.process.wait()
        for worker in workers:
            worker.kill()

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it: SIGTERM lets requests finish, SIGQUIT does not, SIGKILL asks nobody."""
        self.process.send_signal(how)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@dataclass
class Serving:
    """Running nodes over one database."""

    issuer: str
    seeded: Seeded
    environment: Mapping[str, str]
    program: Sequence[str] = (str(BIN / "idp"),)
    nodes: list[Node] = field(default_factory=list)
    answered: Counter[int] = field(default_factory=Counter)
    """How often the node at each port answered."""

    def __post_init__(self) -> None:
        self._turns = itertools.count()
        self._sessions: list[requests.Session] = []

    @property
    def deployment(self) -> Deployment:
        """Those who know this server."""
        return Deployment(self.issuer, self.seeded.seeds, self.new_http)

    def new_http(self) -> requests.Session:
        """Return a session whose requests go to the nodes in turn."""
        http = requests.Session()
        http.trust_env = False
        http.mount(self.issuer, _Spread(self))
        self._sessions.append(http)
        return http

    def next_node(self) -> Node:
        """Return the node whose turn it is."""
        return self.nodes[next(self._turns) % len(self.nodes)]

    def start_node(self, port: int, log: Path, workers: int) -> Node:
        """Start one more node; `wait` until it is ready."""
        command = [*self.program, "serve", "--host", HOST, "--port", str(port)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command, "--workers", str(workers)],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        node = Node(port, process, log)
        self.nodes.append(node)
        return node

    def wait(self) -> None:
        """Wait until all nodes are ready, and say who they are."""
        for node in self.nodes:
            _wait_until_ready(node)
            print(f"node {node.process.pid} at port {node.port}, workers {node.workers()}")

    def command(self, *words: str, input_text: str = "") -> str:
        """Run an `idp` command on the same database and return its output."""
        if self.program == Serving.program:
            done = warm_command.run(words, self.environment, input_text)
        else:
            done = subprocess.run(
                [*self.program, *words],
                cwd=ROOT,
                env=self.environment,
                input=input_text,
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def log(self) -> str:
        """Return what all nodes logged."""
        return "".join(node.log.read_text("utf-8", "replace") for node in self.nodes)

    def kill(self) -> None:
        """End all nodes at once."""
        for http in self._sessions:
            http.close()
        for node in self.nodes:
            if node.process.poll() is None:
                node.kill()

    def assert_spread(self) -> None:
        """Fail if one node gave all answers: then nothing was shown about several."""
        if len(self.nodes) > 1 and self.answered:
            silent = {node.port for node in self.nodes} - self.answered.keys()
            assert not silent, f"All answers came from {dict(self.answered)}, none from {silent}."


class _Spread(HTTPAdapter):
    """Sends each request to the next node, under the issuer's name."""

    def __init__(self, serving: Serving) -> None:
        super().__init__(pool_maxsize=64)
        self._serving = serving

    def send(
        self, request: requests.PreparedRequest, *arguments: Any, **options: Any
    ) -> requests.Response:
        node = self._serving.next_node()
        sent = request.copy()
        parts = urlsplit(request.url or "")
        sent.url = parts._replace(netloc=f"{HOST}:{node.port}").geturl()
        sent.headers["Host"] = parts.netloc
        answer = super().send(sent, *arguments, **options)
        self._serving.answered[node.port] += 1
        answer.url, answer.request = request.url or "", request
        return answer


def _wait_until_ready(node: Node) -> None:
    url = f"http://{HOST}:{node.port}/health/ready"
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            if requests.get(url, timeout=READY_SECONDS).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        try:
            node.process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(f"The node did not start:\n{node.log.read_text('utf-8', 'replace')}")


def _environment(
    issuer: str, seeded: Seeded, keys_dir: Path, values: Mapping[str, Any]
) -> dict[str, str]:
    settings = {
        "issuer": issuer,
        "data_dir": seeded.database.data_dir,
        "keys_dir": keys_dir,
        "database_url": seeded.database.url,
        "key_encryption_key": KEY_ENCRYPTION_KEY,
        **values,
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    kept["PYTHONPATH"] = str(ROOT)  # this checkout, whichever was installed last
    return kept | {f"IDP_{name.upper()}": str(value) for name, value in settings.items()}


Serve = Callable[..., Serving]


@pytest.fixture
def served(
    database_kind: str,
    postgres_if_wanted: PostgresServer | None,
    templates: Templates,
    tmp_path: Path,
) -> Iterator[Seeded]:
    """The database that `serve` serves: seeded, with keys made by the machine's clock."""
    template = templates.of(database_kind, postgres_if_wanted, real_time=True)
    database = databases.copied(template.database, tmp_path / "served", postgres_if_wanted)
    yield Seeded(database, template.seeds)
    databases.dropped(database, postgres_if_wanted)


@contextmanager
def nodes_over(seeded: Seeded, folder: Path) -> Iterator[Serve]:
    """`serve` for a database that is there already; logs and keys are in `folder`.

    `environment` adds to that of the processes, `program` stands in for the `idp` command.
    """
    started: list[Serving] = []

    def start(nodes: int = 1, workers: int = 1, **settings: Any) -> Serving:
        ports = [free_port() for _ in range(nodes)]
        issuer = settings.pop("issuer", f"http://localhost:{ports[0]}")
        more = settings.pop("environment", {})
        program = settings.pop("program", Serving.program)
        environment = _environment(issuer, seeded, folder / "keys", settings) | more
        serving = Serving(issuer, seeded, environment, program)
        started.append(serving)
        for port in ports:
            serving.start_node(port, folder / f"node-{port}.log", workers)
        serving.wait()
        return serving

    try:
        yield start
    finally:
        for serving in started:
            serving.kill()
    for serving in started:
        serving.assert_spread()


@pytest.fixture
def serve(served: Seeded, tmp_path: Path) -> Iterator[Serve]:
    """`serve(nodes=2, workers=1, **settings)` starts that many nodes over one seeded database.

    At the end they are killed, and it fails if only one of several answered. About 1.5 s a node.
    """
    with nodes_over(served, tmp_path) as start:
        yield start
