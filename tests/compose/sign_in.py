"""A person and a client, over https, without JavaScript: forms, code with PKCE, token, userinfo."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from .machine import StepError

REDIRECT_URI = "https://app.example.com/callback"
TIMEOUT = 10.0


@dataclass
class Form:
    """One form of a page: where it goes, what it sends unasked, what it asks for, its buttons."""

    action: str
    method: str
    hidden: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(a.get("action", ""), a.get("method", "get").lower()))
        elif self.found and tag == "input":
            self._take_input(self.found[-1], a)
        elif (
            self.found and tag == "button" and a.get("name") and a.get("type", "submit") == "submit"
        ):
            self.found[-1].buttons.append((a["name"], a.get("value", "")))

    @staticmethod
    def _take_input(form: Form, a: dict[str, str]) -> None:
        name, kind = a.get("name", ""), a.get("type", "text")
        if not name:
            return
        if kind == "hidden" or (kind == "checkbox" and "checked" in a) or "readonly" in a:
            form.hidden[name] = a.get("value", "on")
        elif kind != "checkbox":
            form.asked[name] = kind


class Person:
    """Somebody with a browser that runs no scripts."""

    def __init__(self, authority: str, email: str, password: str) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = authority
        self.email = email
        self.password = password
        self.pages: list[str] = []

    def authorize(self, url: str) -> dict[str, str]:
        """Walk from the authorization request to the client's callback; return its parameters."""
        answer = self.http.get(url, allow_redirects=False, timeout=TIMEOUT)
        for _ in range(20):
            if answer.is_redirect:
                target = urljoin(answer.url, answer.headers["Location"])
                if target.startswith(REDIRECT_URI):
                    return {
                        name: values[0] for name, values in parse_qs(urlsplit(target).query).items()
                    }
                answer = self.http.get(target, allow_redirects=False, timeout=TIMEOUT)
            else:
                answer = self._submit(answer)
        raise StepError(f"the sign-in goes round in circles: {self.pages}")

    def _submit(self, page: requests.Response) -> requests.Response:
        self.pages.append(f"{page.status_code} {urlsplit(page.url).path}")
        forms = _Forms()
        forms.feed(page.text)
        wanted = [form for form in forms.found if form.method == "post" and self._leads_on(form)]
        if page.status_code != 200 or not wanted:
            raise StepError(f"no way on from {self.pages}:\n{page.text[:2000]}")
        form = wanted[0]
        filled = form.hidden | {name: self._answer(name, kind) for name, kind in form.asked.items()}
        if allow := next(
            (button for button in form.buttons if button[1] in {"allow", "yes"}), None
        ):
            filled |= dict([allow])
        elif len(form.buttons) == 1:
            filled |= dict(form.buttons)
        target = urljoin(page.url, form.action)
        headers = {"Referer": page.url, "Origin": "://".join(urlsplit(page.url)[:2])}
        return self.http.post(
            target, filled, headers=headers, allow_redirects=False, timeout=TIMEOUT
        )

    @staticmethod
    def _leads_on(form: Form) -> bool:
        """Whether the form asks for something or allows; not a language menu or a sign-out."""
        return bool(form.asked) or any(value in {"allow", "yes"} for _, value in form.buttons)

    def _answer(self, name: str, kind: str) -> str:
        return self.password if kind == "password" else self.email


def discover(person: Person, issuer: str) -> dict[str, Any]:
    """Return the metadata; forged proxy headers change nothing in it."""
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "Forwarded": "host=evil.example",
    }
    answer = person.http.get(
        f"{issuer}/.well-known/openid-configuration", headers=forged, timeout=TIMEOUT
    )
    metadata: dict[str, Any] = answer.json()
    expect(metadata["issuer"] == issuer, f"issuer {metadata['issuer']} instead of {issuer}")
    expect("evil" not in answer.text, "forged headers reach the metadata")
    expect("strict-transport-security" in answer.headers, "no Strict-Transport-Security")
    return metadata


def sign_in(person: Person, issuer: str, client: dict[str, Any]) -> dict[str, Any]:
    """Sign in, allow, redeem the code and check the ID token; return the token response."""
    metadata = discover(person, issuer)
    verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    )
    request = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile email",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    callback = person.authorize(f"{metadata['authorization_endpoint']}?{urlencode(request)}")
    expect(
        callback.get("state") == state and callback.get("iss") == issuer,
        f"callback {list(callback)}",
    )
    redemption = {
        "grant_type": "authorization_code",
        "code": callback["code"],
        "redirect_uri": REDIRECT_URI,
        "code_verifier": verifier,
    }
    credentials = (client["client_id"], client["client_secret"])
    answer = person.http.post(
        metadata["token_endpoint"], redemption, auth=credentials, timeout=TIMEOUT
    )
    expect(answer.status_code == 200, f"token: {answer.status_code} {answer.text[:500]}")
    tokens: dict[str, Any] = answer.json()
    _check_id_token(person, metadata, tokens["id_token"], nonce, client["client_id"])
    return tokens


def _check_id_token(
    person: Person, metadata: dict[str, Any], token: str, nonce: str, client_id: str
) -> None:
    keys = KeySet.import_key_set(person.http.get(metadata["jwks_uri"], timeout=TIMEOUT).json())
    claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": metadata["issuer"]},
        aud={"essential": True, "value": client_id},
        nonce={"essential": True, "value": nonce},
        exp={"essential": True},
    ).validate(claims)


def userinfo(person: Person, issuer: str, access_token: str) -> dict[str, Any]:
    bearer = {"Authorization": f"Bearer {access_token}"}
    answer = person.http.get(
        discover(person, issuer)["userinfo_endpoint"], headers=bearer, timeout=TIMEOUT
    )
    expect(answer.status_code == 200, f"userinfo: {answer.status_code} {answer.text[:500]}")
    claims: dict[str, Any] = answer.json()
    return claims


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise StepError(otherwise)
