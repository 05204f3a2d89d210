"""The Compose file as a running stack: started, looked at from inside, asked, taken down."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests

from .machine import ROOT, Machine, StepError
from .sign_in import REDIRECT_URI, expect

FILES = [f"{ROOT}/docker-compose.yml", f"{ROOT}/tests/compose/docker-compose.test.yml"]
SERVICES = {"idp": "10001", "database": "999", "proxy": "101", "mail": "65534"}
SEND = """
import smtplib
with smtplib.SMTP("mail", 1025, timeout=5) as smtp:
    text = "Subject: Hello from the server\\r\\n\\r\\nHello.\\r\\n"
    smtp.sendmail("idp@example.com", ["ada@example.com"], text)
"""


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
            "DOORWARD_VERSION": "test",
            "DOORWARD_SECRETS": str(machine.work / "secrets"),
            "DOORWARD_PROXY_SUBNET": "172.31.250.0/28",
            "DOORWARD_HTTPS_PORT": f"127.0.0.1:{https}",
            "DOORWARD_HTTP_PORT": f"127.0.0.1:{http}",
            "DOORWARD_MAIL_PORT": f"127.0.0.1:{mail}",
            "WEB_CONCURRENCY": "2",
        }

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
            raise StepError(f"{error}\n--- logs ---\n{self._logs()}") from error
        finally:
            self._take_down()

    def _logs(self) -> str:
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

    def idp(self, *words: str, stdin: str = "") -> dict[str, Any]:
        """Run the `idp` command in the server's container; return its JSON."""
        text = self.compose("exec", "-T", "idp", "idp", *words, "--json", stdin=stdin)
        answer: dict[str, Any] = json.loads(text)
        return answer

    def add_person_and_client(self, email: str, password: str) -> dict[str, Any]:
        person = ("users", "add", email, "--name", "Ada Lovelace", "--password-stdin")
        self.idp(*person, stdin=f"{password}\n")
        metadata = {
            "client_name": "Compose test",
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code"],
            "scope": "openid profile email",
            "token_endpoint_auth_method": "client_secret_basic",
        }
        return self.idp("clients", "add", "--metadata", "-", stdin=json.dumps(metadata))

    def replace_server(self) -> None:
        """Put a new container in the place of the server's; the proxy has to find it."""
        before = self.inspect("idp")["Id"]
        self.compose("up", "--detach", "--no-build", "--no-deps", "--force-recreate", "idp")
        self.await_health()
        expect(self.inspect("idp")["Id"] != before, "the server's container was not replaced")

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
