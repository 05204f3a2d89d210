"""The Compose file as a running stack: started, looked at from inside, asked, taken down."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests

from .application import API, API_SCOPE, METADATA, expect
from .machine import ROOT, Machine, StepError

FILES = [f"{ROOT}/docker-compose.yml", f"{ROOT}/tests/compose/docker-compose.test.yml"]
UNTRUSTED = f"{ROOT}/tests/compose/docker-compose.untrusted.yml"
IMAGE = "doorward:test"
SERVICES = {"idp": "10001", "database": "999", "proxy": "101", "mail": "65534"}
SEND = """
import smtplib
with smtplib.SMTP("mail", 1025, timeout=5) as smtp:
    text = "Subject: Hello from the server\\r\\n\\r\\nHello.\\r\\n"
    smtp.sendmail("idp@example.com", ["ada@example.com"], text)
"""
# Each worker's sign of life is a file that was unlinked while it is open.
HEARTBEATS = "readlink /proc/[0-9]*/fd/* 2>/dev/null | grep ^/dev/shm/wgunicorn- | sort -u"


class Stack:
    """docker-compose.yml on free ports of loopback."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        https, http, mail = _free_ports(3)
        self.issuer = f"https://localhost:{https}"
        self.plain = f"http://localhost:{http}"
        self.mail = f"http://127.0.0.1:{mail}"
        machine.environment |= {
            "COMPOSE_PROJECT_NAME": "doorward-test",
            "COMPOSE_FILE": ":".join(FILES),
            "COMPOSE_DOCKER_CLI_BUILD": "1",
            "IDP_ISSUER": self.issuer,
            "DOORWARD_VERSION": IMAGE.partition(":")[2],
            "DOORWARD_SECRETS": str(machine.work / "secrets"),
            "DOORWARD_PROXY_SUBNET": "172.31.250.0/28",
            "DOORWARD_HTTPS_PORT": f"127.0.0.1:{https}",
            "DOORWARD_HTTP_PORT": f"127.0.0.1:{http}",
            "DOORWARD_MAIL_PORT": f"127.0.0.1:{mail}",
            "WEB_CONCURRENCY": "2",
        }

        self._earlier_logs: list[str] = []

    def generate_key(self) -> str:
        """Return a key-encryption key, made as the how-to makes it."""
        bare = ("--rm", "--read-only", "--network", "none")
        return self.machine.run("docker", "run", *bare, IMAGE, "idp", "keys", "generate").strip()

    def compose(self, *words: str, stdin: str | None = None) -> str:
        return self.machine.run("docker-compose", "--no-ansi", *words, stdin=stdin)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start everything and wait until it is healthy; take it down whatever happens."""
        try:
            self.compose("up", "--detach", "--no-build")
            self.await_health()
            yield
        except Exception as error:
            raise StepError(f"{error}\n--- logs ---\n{self._last_logs()}") from error
        finally:
            self._take_down()

    def logs(self) -> str:
        """Return all that the containers wrote, those that were replaced too."""
        return "\n".join([*self._earlier_logs, self.compose("logs")])

    def _last_logs(self) -> str:
        try:
            return self.compose("logs", "--tail", "40")
        except StepError as error:
            return str(error)

    def _take_down(self) -> None:
        # A bound of its own: cleaning up must not fail because the time was up.
        self.machine.deadline = time.monotonic() + 120
        bridges = [
            f"br-{network}" for network in self.machine.run("docker", "network", "ls", "-q").split()
        ]
        with suppress(StepError):
            self.compose("down", "--volumes", "--remove-orphans", "--timeout", "20")
        for bridge in bridges:
            subprocess.run(["ip", "link", "delete", bridge], capture_output=True, check=False)

    def await_health(self) -> None:
        while time.monotonic() < self.machine.deadline:
            states = {name: self.inspect(name)["State"]["Health"]["Status"] for name in SERVICES}
            if set(states.values()) == {"healthy"}:
                return
            if "unhealthy" in states.values():
                break
            time.sleep(1)
        raise StepError(f"not healthy: {states}")

    def inspect(self, service: str) -> dict[str, Any]:
        container = self.compose("ps", "--quiet", service).strip()
        found: dict[str, Any] = json.loads(self.machine.run("docker", "inspect", container))[0]
        return found

    def look_inside(self, secret_texts: list[str]) -> None:
        """Check the promises: user, capabilities, read-only root, no secret in the open."""
        for service, user in SERVICES.items():
            status = self.compose("exec", "-T", service, "cat", "/proc/self/status")
            lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            expect(lines["Uid"].split() == [user] * 4, f"{service}: user {lines['Uid']}")
            expect(int(lines["CapBnd"], 16) == 0, f"{service}: capabilities {lines['CapBnd']}")
            expect(lines["NoNewPrivs"] == "1", f"{service}: new privileges")
            facts = self.inspect(service)
            expect(
                facts["HostConfig"]["ReadonlyRootfs"], f"{service}: root file system is writable"
            )
            history = self.machine.run("docker", "history", "--no-trunc", facts["Image"])
            told = json.dumps(facts) + history
            expect(
                not any(text in told for text in secret_texts),
                f"{service}: a secret is in the open",
            )

    def look_at_server(self) -> None:
        """Nothing but its own folders can be written; the workers' heartbeats lie in memory."""
        inside = ("exec", "-T", "idp")
        expect(self.compose(*inside, "idp", "health").strip() == "ready", "idp health: not ready")
        beats = self.compose(*inside, "sh", "-c", HEARTBEATS).splitlines()
        expect(len(beats) == 2, f"heartbeats of two workers: {beats}")
        told = self.compose(*inside, "sh", "-c", "! touch /var/lib/doorward/new 2>&1")
        expect("Read-only file system" in told, f"the folder above its own: {told}")

    def idp(self, *words: str, stdin: str = "") -> dict[str, Any]:
        """Run the `idp` command in the server's container; return its JSON."""
        text = self.compose("exec", "-T", "idp", "idp", *words, "--json", stdin=stdin)
        answer: dict[str, Any] = json.loads(text)
        return answer

    def add_person(self, email: str, password: str) -> None:
        words = ("users", "add", email, "--name", "Ada Lovelace", "--password-stdin")
        self.idp(*words, stdin=f"{password}\n")

    def add_api(self) -> dict[str, Any]:
        scope = f"{API_SCOPE}=Read your notes"
        return self.idp("resources", "add", API, "--name", "Notes", "--scope", scope)

    def add_client(self) -> dict[str, Any]:
        return self.idp("clients", "add", "--metadata", "-", stdin=json.dumps(METADATA))

    def replace_server(self) -> None:
        """Put a new container in the place of the server's; the proxy has to find it."""
        before = self.inspect("idp")["Id"]
        self._earlier_logs.append(self.compose("logs", "idp"))
        self.compose("up", "--detach", "--no-build", "--no-deps", "--force-recreate", "idp")
        self.await_health()
        expect(self.inspect("idp")["Id"] != before, "the server's container was not replaced")

    @contextmanager
    def without_trust(self) -> Iterator[None]:
        """For as long as this lasts, a new server's container trusts no proxy."""
        files = self.machine.environment["COMPOSE_FILE"]
        self.machine.environment["COMPOSE_FILE"] = f"{files}:{UNTRUSTED}"
        try:
            yield
        finally:
            self.machine.environment["COMPOSE_FILE"] = files

    def query(self, statement: str) -> list[str]:
        """Return the rows as lines, with | between the columns."""
        words = ("psql", "-U", "doorward", "-d", "doorward", "-Atc", statement)
        return self.compose("exec", "-T", "database", *words).splitlines()

    def dump(self) -> str:
        """Return the backup that the how-to makes, as text."""
        words = ("pg_dump", "-U", "doorward", "doorward")
        return self.compose("exec", "-T", "database", *words)

    def send_mail(self) -> None:
        self.compose("exec", "-T", "idp", "python3", "-c", SEND)
        caught = requests.get(f"{self.mail}/api/v1/messages", timeout=5).json()["messages"]
        expect(caught[0]["Subject"] == "Hello from the server", f"mail: {caught}")

    def plain_http(self) -> None:
        """Plain http is answered by a redirect to the issuer, whatever host was asked for."""
        headers = {"Host": "evil.example"}
        answer = requests.get(
            f"{self.plain}/a?b=c", headers=headers, allow_redirects=False, timeout=5
        )
        expect(
            answer.headers.get("Location") == f"{self.issuer}/a?b=c", "plain http is not redirected"
        )


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports
