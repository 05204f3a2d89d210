"""`idp dev` with people and clients in it, and an application that waits at another origin."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

from idp.app import create_app, services_of
from idp.config import load
from tests.running.commands import Place
from tests.support import seeds
from tests.support.token_client import challenge

CLIENT = "field-notes"
BARE_CLIENT = "bare"
VERIFIER = "v" * 43


@dataclass(frozen=True)
class Live:
    """A running server. `block` is what `idp dev` printed, `elsewhere` the application's origin."""

    issuer: str
    elsewhere: str
    block: Mapping[str, str]
    database: Path

    def authorization(self, client_id: str = CLIENT, **changes: str) -> str:
        """Return the address of an authorization request."""
        request = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": f"{self.elsewhere}/callback",
            "scope": "openid profile email notes:read",
            "state": "state-of-the-application",
            "nonce": "n",
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        return f"{self.issuer}/oauth2/authorize?{urlencode(request | changes)}"

    def logout(self, **parameters: str) -> str:
        """Return the address of a logout request."""
        return f"{self.issuer}/oauth2/logout?{urlencode(parameters)}"

    def let_time_pass(self) -> None:
        """Let every sign-in that is in progress run out."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute("UPDATE one_time SET expires_at = 1 WHERE kind = 'interaction'")


@contextmanager
def application(port: int) -> Iterator[str]:
    """An application that answers every request with a page; yields its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Application)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Application(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><html lang=en><title>Field Notes</title><h1>Field Notes</h1>"
        self.send_response(204 if self.path == "/favicon.ico" else 200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"" if self.path == "/favicon.ico" else body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path, port: int, elsewhere: str, smtp_port: int) -> Iterator[Live]:
    """The development server, with everybody of tests/support/seeds.py beside its demo data; it
    sends mail to a port of loopback.
    """
    place = Place(folder)
    issuer = f"http://localhost:{port}"
    database = Path(place.environment["IDP_DATA_DIR"]) / "doorward.sqlite3"
    _populate(place, issuer, elsewhere)
    environment = {
        "IDP_NETWORK_LIMIT": "100000",
        "IDP_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
    }
    with place.serving("dev", "--port", str(port), environment=environment) as running:
        yield Live(issuer, elsewhere, running.block(), database)


def _populate(place: Place, issuer: str, elsewhere: str) -> None:
    settings = load(
        {
            "issuer": issuer,
            "data_dir": place.environment["IDP_DATA_DIR"],
            "keys_dir": place.environment["IDP_KEYS_DIR"],
        }
    )
    services = services_of(create_app(settings))
    seeds.sow(services)
    common = {
        "redirect_uris": [f"{elsewhere}/callback"],
        "scope": "openid profile email offline_access notes:read notes:write",
        "grant_types": ["authorization_code", "refresh_token"],
    }
    known = {
        "client_name": "Field Notes",
        "client_uri": f"{elsewhere}/",
        "policy_uri": f"{elsewhere}/privacy",
        "tos_uri": f"{elsewhere}/terms",
        "post_logout_redirect_uris": [f"{elsewhere}/bye"],
    }
    seeds.add_client(services, common | known, CLIENT)
    seeds.add_client(services, common | {"client_name": "Bare Bones"}, BARE_CLIENT)
    services.store.close()
