"""The guard: a request and what it needs go in, a decision comes out. Frameworks are beside it."""

import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace

from idp.guard.access_token import AccessToken
from idp.guard.authorization_server import AuthorizationServer
from idp.guard.documents import Clock
from idp.guard.errors import ConfigurationError, InvalidToken, Unavailable
from idp.guard.http_client import Http, HttpClient
from idp.guard.introspection import Introspection
from idp.guard.needs import Needs, Request
from idp.guard.offline import OfflineCheck
from idp.guard.outcome import Granted, Outcome, Refusals, Refused
from idp.guard.policy_engine import PolicyEngine
from idp.guard.settings import Settings

_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
_log = logging.getLogger("idp.guard")
Check = Callable[[Request, AccessToken, Needs], Refused | None]


class Guard:
    """Protects one service. Threads share it; make one for each process."""

    def __init__(
        self, settings: Settings, http: Http | None = None, clock: Clock = time.time
    ) -> None:
        """Take what asks servers and the time (seconds since 1970) from outside, if given."""
        self.settings = settings
        self.refusals = Refusals(settings)
        self._clock = clock
        http = http or HttpClient()
        server = AuthorizationServer(settings, http, clock)
        self._offline = OfflineCheck(settings, server, clock)
        credentials = settings.credentials
        self._introspection = (
            Introspection(settings, credentials, server, clock) if credentials else None
        )
        proof = settings.engine_proof()
        self._engine = PolicyEngine(settings, http, proof) if settings.engine and proof else None
        # What nobody can change by themselves comes before what another sign-in would change,
        # and what costs a request is last.
        self._checks: tuple[Check, ...] = (
            self._scopes,
            self._roles,
            self._sign_in,
            self._policies,
        )

    def accept(self, needs: Needs) -> Needs:
        """Return `needs`, if the settings allow checking them. Raises ConfigurationError."""
        if needs.live and self._introspection is None:
            raise ConfigurationError("live: needs credentials in the settings.")
        if needs.ask and self._engine is None:
            raise ConfigurationError("ask: needs an engine, and credentials, in the settings.")
        return needs

    def check(self, request: Request, needs: Needs) -> Outcome:
        """Decide. Asks the server or the engine where that is needed, and waits for them.

        Raises ConfigurationError for what `accept` refuses.
        """
        self.accept(needs)
        presented = self._presented(request, needs)
        if isinstance(presented, Refused):
            return presented
        try:
            token = self._token(presented, live=needs.live)
            for check in self._checks:
                if refused := check(request, token, needs):
                    _log.info("%s %r: %s", request.method, request.path, refused.problem)
                    return refused
        except InvalidToken as error:
            _log.info("%s %r: %s", request.method, request.path, error.reason)
            return self.refusals.token_invalid()
        except Unavailable as error:
            _log.warning("%s %r: %s", request.method, request.path, error)
            return self.refusals.unavailable()
        return Granted(token)

    def metadata(self) -> bytes:
        """Return the protected-resource metadata to publish (RFC 9728 section 2), as JSON."""
        published = self.settings.published
        if published is None:
            raise ConfigurationError("published: is needed to publish metadata.")
        said = {
            "resource": self.settings.resource,
            "authorization_servers": [self.settings.issuer],
            "bearer_methods_supported": ["header"],
            "scopes_supported": list(published.scopes),
            "resource_name": published.name,
            "resource_documentation": published.documentation,
        }
        return json.dumps({name: value for name, value in said.items() if value}).encode()

    def _presented(self, request: Request, needs: Needs) -> str | Refused:
        """Return the token as it was sent, in the header alone (RFC 9700 section 4.3.2)."""
        if len(request.authorization) > 1:
            return self.refusals.malformed()
        header = request.authorization[0] if request.authorization else ""
        if header.partition(" ")[0].lower() != "bearer":
            return self.refusals.token_missing(needs)
        found = _BEARER.fullmatch(header)
        return found[1] if found else self.refusals.malformed()

    def _token(self, presented: str, *, live: bool) -> AccessToken:
        """Check offline first: what is made up costs the server nothing. Other tokens than JWTs
        only the server can read.
        """
        token = self._offline(presented) if presented.count(".") == 2 else None
        if token is None or live:
            if self._introspection is None:
                raise InvalidToken("no JWT, and the server is not to be asked")
            asked = self._introspection(presented, live=live)
            token = asked if token is None else _agreed(token, asked)
        return token

    def _scopes(self, _request: Request, token: AccessToken, needs: Needs) -> Refused | None:
        return self.refusals.scope_missing(needs) if needs.lacks_scope(token) else None

    def _roles(self, _request: Request, token: AccessToken, needs: Needs) -> Refused | None:
        return self.refusals.role_missing(needs) if needs.lacks_role(token) else None

    def _sign_in(self, _request: Request, token: AccessToken, needs: Needs) -> Refused | None:
        enough = needs.is_signed_in_well(token, self._clock())
        return None if enough else self.refusals.sign_in_insufficient(needs)

    def _policies(self, request: Request, token: AccessToken, needs: Needs) -> Refused | None:
        if needs.ask is None or self._engine is None:
            return None
        verdict = self._engine(token, needs.ask(request, token))
        return None if verdict.allowed else self.refusals.denied(verdict.reason)


def _agreed(token: AccessToken, asked: AccessToken) -> AccessToken:
    """Join what was signed with what the server says now. Raises InvalidToken."""
    if (token.subject, token.client_id) != (asked.subject, asked.client_id):
        raise InvalidToken("the server means another one")
    scopes = token.scopes & asked.scopes if "scope" in asked.claims else token.scopes
    roles = asked.roles if "roles" in asked.claims else token.roles
    return replace(token, scopes=scopes, roles=roles)
