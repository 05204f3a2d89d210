"""What is measured with: clients, an API, people, sessions, codes and tokens, made by domain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from idp.app import create_app, services_of
from idp.config import Settings
from idp.crypto.passwords import hash_password
from idp.crypto.secrets import random_token
from idp.domain.accounts import Account
from idp.domain.approvals import Approval
from idp.domain.assurance import Assurance
from idp.domain.audit import Origin
from idp.domain.authorizations import Authorization, Issued
from idp.domain.resources import OIDC_SCOPES
from idp.domain.services import Services
from idp.domain.sessions import Login, Session
from idp.protocol import registration
from idp.protocol.tokens import Mint
from idp.store import accounts
from idp.web.browser_session import cookie_name
from idp.web.context import SERVER
from tests.support.token_client import challenge

API = "https://api.example.com"
API_SCOPE = "notes.read"
REDIRECT_URI = "https://app.example.com/cb"
SCOPES = ("openid", "profile", "email", API_SCOPE)
VERIFIER = "bench-" + "v" * 58
CHALLENGE = challenge(VERIFIER)
PASSWORD = "correct horse bench battery"
_PEOPLE = 200
_ACR = "urn:doorward:acr:one-factor"
_HERE = Origin("127.0.0.1", "bench", "bench")
_ACTOR = "operator:bench"


@dataclass(frozen=True)
class Known:
    """A registered client with its secret."""

    client_id: str
    secret: str


class Material:
    """One prepared installation, opened beside the server that is measured."""

    def __init__(self, settings: Settings) -> None:
        self.app: Flask = create_app(settings)
        self.parts: Services = services_of(self.app)
        self.mint: Mint = self.app.extensions[SERVER].parts.mint
        self.parts.resources.add(
            API, "Notes", {API_SCOPE: "Read your notes"}, origin=_HERE, actor=_ACTOR
        )
        self.elliptic = self._client("bench-es256", "ES256")
        self.rsa = self._client("bench-rs256", "RS256")
        self._hashed = hash_password(PASSWORD)
        self.people = [self._person(number) for number in range(_PEOPLE)]
        self.sessions = [self._signed_in(account) for account in self.people]

    def _client(self, client_id: str, algorithm: str) -> Known:
        metadata = {
            "client_name": "Bench",
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "scope": " ".join([*OIDC_SCOPES, API_SCOPE]),
            "id_token_signed_response_alg": algorithm,
        }
        details = registration.validate(metadata, operator=True)
        _, secret = self.parts.clients.add(
            details, secret=True, client_id=client_id, origin=_HERE, actor=_ACTOR
        )
        return Known(client_id, secret or "")

    def _person(self, number: int) -> Account:
        profile = {"given_name": "Person", "family_name": str(number), "locale": "en"}
        return self._account(email_of(number), f"Person {number}", profile=profile)

    def _account(self, email: str, name: str, **more: Any) -> Account:
        """Add a person with PASSWORD, which is hashed once for all of them."""
        account = self.parts.accounts.add(
            email, name, None, email_verified=True, origin=_HERE, actor=_ACTOR, **more
        )
        with self.parts.store.writing() as connection:
            accounts.set_password(connection, account.id, self._hashed, account.created_at)
        return account

    def refused(self, kind: str, number: int) -> list[str]:
        """Return the addresses of new people; `kind` is disabled, passwordless or wrong."""
        found = []
        for one in range(number):
            account = self._account(f"{kind}-{one}@example.com", "Somebody")
            with self.parts.store.writing() as connection:
                if kind == "passwordless":
                    accounts.remove_password(connection, account.id)
                if kind == "disabled":
                    accounts.change(connection, account.id, {"disabled_at": account.created_at})
            found.append(account.email)
        return found

    def _signed_in(self, account: Account) -> tuple[str, Session]:
        """Open a session, and remember consent for what is asked."""
        pairs = frozenset((API if scope == API_SCOPE else "", scope) for scope in SCOPES)
        with self.parts.store.writing() as connection:
            now = int(self.parts.clock())
            proofs = {"password": now}
            login = Login(account.id, proofs, Assurance(1, _ACR, ("pwd",), now))
            _, cookie = self.parts.sessions.start(connection, login, random_token(), "", _HERE)
            for client in (self.elliptic, self.rsa):
                self.parts.consents.remember(connection, account.id, client.client_id, pairs, _HERE)
        session = self.parts.sessions.find(cookie)
        if session is None:
            raise RuntimeError("The session that was just opened is not there.")
        return cookie, session

    @property
    def cookies(self) -> list[str]:
        """The `Cookie` header of each signed-in browser."""
        name = cookie_name(self.parts.settings)
        return [f"{name}={cookie}" for cookie, _ in self.sessions]

    def codes(self, client: Known, number: int) -> list[str]:
        """Return fresh codes, which live for a minute."""
        approval = Approval(
            client.client_id, REDIRECT_URI, SCOPES, None, "nonce", CHALLENGE, True, _ACR, "ada"
        )
        approvals = self.parts.approvals
        openings = [
            approvals.prepare(approval, self.sessions[index % _PEOPLE][1])
            for index in range(number)
        ]
        with self.parts.store.writing() as connection:
            for opening in openings:
                approvals.open(connection, opening, None, _HERE)
        return [opening.code or "" for opening in openings]

    def refresh_tokens(self, client: Known, number: int) -> list[str]:
        """Return one unused refresh token for each of some new authorizations."""
        tokens = []
        for code in self.codes(client, number):
            token = self.parts.refresh_tokens.first()
            found = self.parts.authorizations.find_code(code)
            if found is None:
                raise RuntimeError("The code that was just made is not there.")
            issued = Issued("authorization_code", client.client_id, SCOPES, (API,), "none", token)
            self.parts.authorizations.redeem(code, found, issued, _HERE)
            tokens.append(token)
        return tokens

    def access_tokens(self, client: Known, number: int) -> list[str]:
        """Return access tokens of people, for the API and for userinfo."""
        return [
            self._access_token(client, authorization)
            for authorization in self._authorizations(client, number)
        ]

    def _authorizations(self, client: Known, number: int) -> Sequence[Authorization]:
        found = map(self.parts.authorizations.find_code, self.codes(client, number))
        return [code.authorization for code in found if code]

    def _access_token(self, client: Known, authorization: Authorization) -> str:
        registered = self.parts.clients.get(client.client_id)
        audience = (API, self.parts.settings.issuer)
        return self.mint.access_token(registered, authorization, SCOPES, audience, None).value

    def authorization_query(self, client: Known) -> str:
        """Return the query of an authorization request that needs nobody's answer."""
        return urlencode(
            {
                "response_type": "code",
                "client_id": client.client_id,
                "redirect_uri": REDIRECT_URI,
                "scope": " ".join(SCOPES),
                "state": "state",
                "nonce": "nonce",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
            }
        )


def email_of(number: int) -> str:
    """Return the address of a person, whose password is PASSWORD."""
    return f"person-{number}@example.com"
