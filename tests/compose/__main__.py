"""The order of things: machine, images, start, look, sign in, clean up."""

import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from .images import make_base_images, wheels
from .machine import Machine, StepError, docker_daemon, install_packages
from .material import make_secrets
from .sign_in import Person, sign_in, userinfo
from .stack import Stack

SECONDS = 900.0
EMAIL = "ada@example.com"


def main() -> int:
    if os.geteuid() != 0:
        print(
            "This test starts a Docker daemon of its own: run it as root (sudo make compose-test)."
        )
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Docker's data must not lie in memory.
    work = Path(tempfile.mkdtemp(prefix="doorward-", dir="/var/tmp"))
    work.chmod(0o711)
    machine = Machine(work, time.monotonic() + SECONDS)
    try:
        install_packages(machine)
        machine.say("Starting a Docker daemon of its own")
        with docker_daemon(machine):
            make_base_images(machine)
            _build_start_and_sign_in(machine)
    except StepError as error:
        machine.say(f"FAILED: {error}")
        return 1
    except KeyboardInterrupt:
        machine.say("Interrupted")
        return 130
    finally:
        shutil.rmtree(work, ignore_errors=True)
        machine.say("Cleaned up: containers, networks, volumes, daemon, data")
    machine.say("Passed")
    return 0


def _build_start_and_sign_in(machine: Machine) -> None:
    secret_texts = make_secrets(machine.work / "secrets")
    stack = Stack(machine)
    with wheels(machine):
        machine.say("Building the image without an index")
        stack.compose("build", "idp")
    machine.say("Starting docker-compose.yml and waiting for its health checks")
    with stack.running():
        machine.say("Looking inside: users, capabilities, file systems, secrets")
        stack.look_inside(secret_texts)
        stack.plain_http()
        machine.say("Adding a person and a client with idp")
        password = secrets.token_urlsafe(24)
        client = stack.add_person_and_client(EMAIL, password)
        machine.say(f"Signing in at {stack.issuer} through the proxy")
        person = Person(str(machine.work / "secrets" / "ca.pem"), EMAIL, password)
        tokens = sign_in(person, stack.issuer, client)
        machine.say(f"Pages walked: {', '.join(person.pages)}")
        _check_userinfo(person, stack, tokens["access_token"])
        machine.say("Replacing the server's container")
        stack.replace_server()
        _check_userinfo(person, stack, tokens["access_token"])
        machine.say("Sending a mail to the catcher")
        stack.send_mail()


def _check_userinfo(person: Person, stack: Stack, access_token: str) -> None:
    claims = userinfo(person, stack.issuer, access_token)
    if claims.get("email") != EMAIL:
        raise StepError(f"userinfo answers {sorted(claims)}")


if __name__ == "__main__":
    sys.exit(main())
