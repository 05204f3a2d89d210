"""The order of things: machine, images, start, look, sign in, clean up."""

import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from . import proxy
from .application import AFTER_SIGN_OUT, REDIRECT_URI, Application, expect
from .browser import TIMEOUT, Person, visitor
from .images import make_base_images, wheels
from .machine import Machine, StepError, docker_daemon, install_packages
from .material import make_secrets
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
    stack = Stack(machine)
    with wheels(machine):
        machine.say("Building the image without an index")
        stack.compose("build", "idp")
    folder = machine.work / "secrets"
    secret_texts = make_secrets(folder, stack.generate_key())
    authority = str(folder / "ca.pem")
    machine.say("Starting docker-compose.yml and waiting for its health checks")
    with stack.running():
        machine.say("Looking inside: users, capabilities, file systems, secrets")
        stack.look_inside(secret_texts)
        stack.look_at_server()
        stack.plain_http()
        machine.say("Adding a person, an API and a client with idp")
        person = Person(authority, EMAIL, secrets.token_urlsafe(24))
        stack.add_person(EMAIL, person.password)
        api = stack.add_api()
        application = Application(authority, stack.issuer, stack.add_client(), api)
        _use(machine, stack, person, application)
        links = _look_at_proxy(machine, stack, authority)
        _use_again(machine, stack, person, application)
        machine.say("Searching logs and database for what was issued")
        kept = [person.password, *person.known_by, *links]
        _search(stack, [*secret_texts, *application.issued, *kept])
        machine.say("Sending a mail to the catcher")
        stack.send_mail()


def _use(machine: Machine, stack: Stack, person: Person, application: Application) -> None:
    machine.say(f"Signing in at {stack.issuer} through the proxy")
    application.redeem(person.go(application.authorization_url(), REDIRECT_URI))
    expect(person.pages == ["sign-in", "password", "consent"], f"pages walked: {person.pages}")
    _check_tokens(application)
    machine.say("Refreshing")
    application.refresh()
    _check_tokens(application)


def _look_at_proxy(machine: Machine, stack: Stack, authority: str) -> list[str]:
    """Return the secrets of the links that were used."""
    machine.say("Looking at addresses and caching through the proxy")
    proxy.cached_keys(stack, authority)
    proxy.wrong_host(stack, authority)
    proxy.addresses_in_audit(stack)
    link = stack.idp("admin", "login-link")["url"]
    page = visitor(authority).get(link, timeout=TIMEOUT)
    expect(page.status_code == 200, f"administrator's link: {page.status_code}")
    with stack.without_trust():
        machine.say("Replacing the server's container by one that trusts no proxy")
        stack.replace_server()
        proxy.untrusted(stack, authority)
    machine.say("Replacing it by one that does")
    secret = proxy.without_server(stack, authority)
    stack.replace_server()
    return [link.rpartition("/")[2], secret]


def _use_again(machine: Machine, stack: Stack, person: Person, application: Application) -> None:
    """Sessions and tokens have outlived the container; then both are ended."""
    _check_tokens(application)
    application.refresh()
    silently = application.authorization_url(prompt="none")
    application.redeem(person.go(silently, REDIRECT_URI))
    expect(person.pages == [], f"who is signed in is asked again: {person.pages}")
    _check_tokens(application)
    machine.say("Signing out, and revoking")
    query = person.go(application.sign_out_url(), AFTER_SIGN_OUT)
    expect(person.pages == ["sign-out"] and query == {"state": "abc"}, f"{person.pages} {query}")
    refusal = person.go(application.authorization_url(prompt="none"), REDIRECT_URI)
    expect(refusal.get("error") == "login_required", f"after the sign-out: {refusal}")
    application.revoke()
    expect(application.introspect() == {"active": False}, "active after the revocation")


def _check_tokens(application: Application) -> None:
    claims = application.userinfo()
    expect(claims.get("email") == EMAIL, f"userinfo answers {sorted(claims)}")
    claims = application.introspect()
    expect(claims["active"] and claims.get("username") == EMAIL, f"introspection: {claims}")


def _search(stack: Stack, secret_texts: list[str]) -> None:
    """Find none of the secrets; of a JWT, whose claims are no secret, not the signature."""
    for text, known in ((stack.logs(), "/oauth2/token"), (stack.dump(), "audit_entries")):
        expect(known in text, f"what should have {known} in it has not: {text[:500]}")
        found = [secret for secret in secret_texts if secret.rpartition(".")[2] in text]
        expect(not found, f"{len(found)} secrets are with {known}")


if __name__ == "__main__":
    sys.exit(main())
