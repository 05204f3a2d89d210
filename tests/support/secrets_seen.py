"""Every secret that went over the wire, and the search for them where none may be.

A session is watched (`seen.watch(http)`): what requests and answers carry is noted. Command output
is noted with `seen.output(text)`, anything else with `seen.note(kind, value)`.
"""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus, urlsplit

import requests

from tests.support.html_pages import parse

SHORTEST = 8
_CODE = re.compile(r"(?<!\S)\d{6}(?!\S)")
_TYPED = re.compile(r"\s*(\d{3})\s?(\d{3})\s*")
_WHOLE = rb"(?<![0-9A-Za-z+/_.-])%b(?![0-9A-Za-z+/=_-])"
"""Six digits stand by chance inside longer numbers and random text: there they are no code."""
_IN_JSON = {
    "access_token": "access token",
    "refresh_token": "refresh token",
    "id_token": "ID token",
    "client_secret": "client secret",
    "credential_secret": "credential",
    "registration_access_token": "registration token",
    "device_code": "device code",
    "code": "code",
    "challenge": "challenge",
    "signature": "signature",
}
_IN_FORMS = _IN_JSON | {
    "password": "password",
    "code_verifier": "verifier",
    "csrf_token": "form token",
    "handle": "handle",
    "token": "token",
    "id_token_hint": "ID token",
    "assertion": "assertion",
    "client_assertion": "assertion",
}
_LINK = "interaction|setup/administrator|invitation|mail|account/email/(?:link|code)"
_IN_OUTPUT = re.compile(rf"\bdw_\w+_[A-Za-z0-9_-]{{20,}}|/(?:{_LINK})/([A-Za-z0-9_-]{{20,}})")
_IN_PATH = re.compile(rf"/({_LINK})/([A-Za-z0-9_-]{{20,}})")
_PASSWORD = re.compile(r"password\s+(\S{8,})")


class SecretsSeen:
    """Secrets by kind. `codes` are those of six digits."""

    def __init__(self) -> None:
        self.known: dict[str, set[str]] = defaultdict(set)
        self.codes: dict[str, set[str]] = defaultdict(set)

    def note(self, kind: str, value: str) -> None:
        """Remember a secret; a JWT's signature alone counts as well."""
        if len(value) >= SHORTEST:
            self.known[kind].add(value)
            if value.startswith("eyJ") and value.count(".") == 2:
                self.known[f"{kind} signature"].add(value.rpartition(".")[2])

    def note_code(self, kind: str, code: str) -> None:
        """Remember a code of six digits."""
        self.codes[kind].add(code)

    def seed(self, base32: str) -> None:
        """Remember the seed of an authenticator app, as it is shown and as what it is."""
        self.note("seed", base32)
        self.note("seed", base64.b32decode(base32).hex())
        self.note("seed", base64.b64encode(base64.b32decode(base32)).decode().rstrip("="))

    def mail(self, text: str) -> None:
        """Remember the links and codes of a mail."""
        for word in text.split():
            self._address(word)
        for code in _CODE.findall(text):
            self.note_code("mailed code", code)

    def json_of(self, text: str) -> None:
        """Remember what is secret in a passkey's answer."""
        self._json(json.loads(text)["response"])

    def output(self, text: str) -> None:
        """Remember what a command printed: secrets, passwords, one-time links."""
        for found in _IN_OUTPUT.finditer(text):
            self.note("printed secret", found[1] or found[0])
        for found in _PASSWORD.finditer(text):
            self.note("printed password", found[1])

    def watch(self, http: requests.Session) -> None:
        """Note what goes through a session from now on."""
        http.hooks["response"].append(self._answer)

    def _answer(self, answer: requests.Response, *_arguments: Any, **_options: Any) -> None:
        self._request(answer.request)
        for cookie in answer.cookies:
            if cookie.name.endswith("-state"):
                continue  # any script may read it
            kind = "device cookie" if cookie.name.endswith("-device") else "cookie"
            self.note(kind, cookie.value or "")
        self._address(answer.headers.get("Location", ""))
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith("application/json"):
            self._json(answer.json())
        elif kind.startswith("text/html"):
            page = parse(answer.text)
            for form in (*page.forms, *page.menus):
                self._pairs(form.values())

    def _request(self, request: requests.PreparedRequest) -> None:
        header = request.headers.get("Authorization", "")
        kind, _, value = header.partition(" ")
        if kind == "Basic":
            pair = base64.b64decode(value).decode("utf-8", "replace")
            self.note("client secret", unquote_plus(pair.partition(":")[2]))
        elif kind:
            self.note("access token", value)
        body = request.body
        if isinstance(body, str):
            self._pairs(parse_qsl(body))
        self._address(request.url or "")

    def _address(self, url: str) -> None:
        parts = urlsplit(url)
        for found in _IN_PATH.finditer(parts.path):
            self.note(f"{found[1].partition('/')[0]} link", found[2])
        self._pairs([*parse_qsl(parts.query), *parse_qsl(parts.fragment)])

    def _pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        for name, value in pairs:
            if typed := _TYPED.fullmatch(value) if name == "code" else None:
                self.note_code("typed code", typed[1] + typed[2])
            elif name in _IN_FORMS:
                self.note(_IN_FORMS[name], value)

    def _json(self, body: Any) -> None:
        if isinstance(body, Mapping):
            self._pairs((name, value) for name, value in body.items() if isinstance(value, str))

    def leaks(self, places: Mapping[str, bytes]) -> list[str]:
        """Return which kind of secret stands where, in clear or merely encoded."""
        found = [
            f"{kind} in {place} as {form}"
            for place, content in places.items()
            for kind, values in self.known.items()
            for value in values
            for form, needle in _forms(value)
            if needle in content
        ]
        found += [
            f"{kind} in {place} as it is"
            for place, content in places.items()
            for kind, codes in self.codes.items()
            for code in codes
            if re.search(_WHOLE % code.encode(), content)
        ]
        return sorted(found)


def files(*folders: Path) -> dict[str, bytes]:
    """Return the content of every file in some folders, for `leaks`."""
    return {
        str(path): path.read_bytes()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _forms(value: str) -> Iterator[tuple[str, bytes]]:
    raw = value.encode()
    yield "it is", raw
    yield "hexadecimal", raw.hex().encode()
    yield "HEXADECIMAL", raw.hex().upper().encode()
    yield "base64", base64.b64encode(raw).rstrip(b"=")[:-1]
    if quote(value, safe="") != value:
        yield "in an address", quote(value, safe="").encode()
