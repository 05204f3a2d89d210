"""A client and a resource server: code with PKCE, tokens and their checks, introspection."""

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import urlencode

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from .browser import TIMEOUT, visitor
from .machine import StepError

REDIRECT_URI = "https://app.example.com/callback"
AFTER_SIGN_OUT = "https://app.example.com/bye"
API = "https://api.example.com"
API_SCOPE = "notes:read"
SCOPE = f"openid profile email offline_access {API_SCOPE}"
METADATA = {
    "client_name": "Compose test",
    "redirect_uris": [REDIRECT_URI],
    "post_logout_redirect_uris": [AFTER_SIGN_OUT],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": SCOPE,
    "token_endpoint_auth_method": "client_secret_basic",
}


class Application:
    """What `idp clients add` and `idp resources add` registered, in use."""

    def __init__(
        self, authority: str, issuer: str, client: dict[str, Any], api: dict[str, Any]
    ) -> None:
        self.http = visitor(authority)
        self.issuer = issuer
        self.credentials = (client["client_id"], client["client_secret"])
        self.api_credentials = (api["credential_id"], api["credential_secret"])
        self.tokens: dict[str, str] = {}
        self.issued: list[str] = [self.credentials[1], self.api_credentials[1]]
        self.metadata = self._discover()
        self._proofs: tuple[str, str, str] = ("", "", "")

    def _discover(self) -> dict[str, Any]:
        answer = self.http.get(f"{self.issuer}/.well-known/openid-configuration", timeout=TIMEOUT)
        expect(answer.status_code == 200, f"discovery: {answer.status_code} {answer.text[:500]}")
        metadata: dict[str, Any] = answer.json()
        expect(metadata["issuer"] == self.issuer, f"issuer {metadata['issuer']}")
        expect("evil" not in answer.text, "forged headers reach the metadata")
        expect("strict-transport-security" in answer.headers, "no Strict-Transport-Security")
        return metadata

    def authorization_url(self, **more: str) -> str:
        """Return the address at which a new authorization request starts."""
        verifier, state, nonce = self._proofs = (
            secrets.token_urlsafe(32),
            secrets.token_urlsafe(32),
            secrets.token_urlsafe(32),
        )
        digest = hashlib.sha256(verifier.encode()).digest()
        request = {
            "response_type": "code",
            "client_id": self.credentials[0],
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{self.metadata['authorization_endpoint']}?{urlencode(request | more)}"

    def redeem(self, callback: dict[str, str]) -> None:
        """Check the callback, trade the code for tokens and check these."""
        verifier, state, nonce = self._proofs
        theirs = (callback.get("state"), callback.get("iss"))
        expect(theirs == (state, self.issuer), f"callback {callback}")
        self.issued.append(callback["code"])
        self._take_tokens(
            grant_type="authorization_code",
            code=callback["code"],
            redirect_uri=REDIRECT_URI,
            code_verifier=verifier,
        )
        self._check_id_token(nonce)
        self._check_access_token()

    def refresh(self) -> None:
        before = self.tokens["refresh_token"]
        self._take_tokens(grant_type="refresh_token", refresh_token=before)
        expect(self.tokens["refresh_token"] != before, "the refresh token is not a new one")
        self._check_access_token()

    def userinfo(self) -> dict[str, Any]:
        bearer = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        answer = self.http.get(self.metadata["userinfo_endpoint"], headers=bearer, timeout=TIMEOUT)
        expect(answer.status_code == 200, f"userinfo: {answer.status_code} {answer.text[:500]}")
        claims: dict[str, Any] = answer.json()
        return claims

    def introspect(self) -> dict[str, Any]:
        """Return what the API learns about the access token."""
        token = {"token": self.tokens["access_token"]}
        answer = self._post("introspection_endpoint", token, self.api_credentials)
        claims: dict[str, Any] = answer.json()
        return claims

    def revoke(self) -> None:
        token = {"token": self.tokens["refresh_token"]}
        self._post("revocation_endpoint", token, self.credentials)

    def sign_out_url(self) -> str:
        """Return where a sign-out starts that the person is asked about, for want of a hint."""
        request = {
            "client_id": self.credentials[0],
            "post_logout_redirect_uri": AFTER_SIGN_OUT,
            "state": "abc",
        }
        return f"{self.metadata['end_session_endpoint']}?{urlencode(request)}"

    def _take_tokens(self, **request: str) -> None:
        self.tokens |= self._post("token_endpoint", request, self.credentials).json()
        names = ("access_token", "refresh_token", "id_token")
        self.issued += [self.tokens[name] for name in names if name in self.tokens]

    def _post(
        self, endpoint: str, form: dict[str, str], credentials: tuple[str, str]
    ) -> requests.Response:
        answer = self.http.post(self.metadata[endpoint], form, auth=credentials, timeout=TIMEOUT)
        expect(answer.status_code == 200, f"{endpoint}: {answer.status_code} {answer.text[:500]}")
        return answer

    def _check_id_token(self, nonce: str) -> None:
        token = self._verified(self.tokens["id_token"], "RS256", self.credentials[0])
        expect(token.claims.get("nonce") == nonce, "the ID token has another nonce")

    def _check_access_token(self) -> None:
        """As an API does that asks nobody: RFC 9068 section 4."""
        token = self._verified(self.tokens["access_token"], "ES256", API)
        expect(token.header.get("typ") == "at+jwt", f"access token: {token.header}")

    def _verified(self, token: str, algorithm: str, audience: str) -> jwt.Token:
        answer = self.http.get(self.metadata["jwks_uri"], timeout=TIMEOUT)
        read = jwt.decode(token, KeySet.import_key_set(answer.json()), algorithms=[algorithm])
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        ).validate(read.claims)
        return read


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise StepError(otherwise)
