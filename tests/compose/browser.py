"""Somebody with a browser that runs no scripts: follows redirects, fills in and sends forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from .machine import StepError

TIMEOUT = 10.0
FORGED_ADDRESS = "203.0.113.9"
FORGED = {
    "X-Forwarded-For": FORGED_ADDRESS,
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Real-IP": FORGED_ADDRESS,
    "Forwarded": f"for={FORGED_ADDRESS};host=evil.example;proto=http",
}
LEADS_ON = {"allow", "sign_out"}


def visitor(authority: str) -> requests.Session:
    """Return what asks over https, and lies about where it comes from in every request."""
    http = requests.Session()
    http.trust_env = False
    http.verify = authority
    http.headers.update(FORGED)
    return http


@dataclass
class Form:
    """One form of a page: where it goes, what it sends unasked, what it asks for, its buttons."""

    action: str
    method: str
    hidden: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def way_on(self) -> tuple[str, str] | None:
        return next((button for button in self.buttons if button[1] in LEADS_ON), None)


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
    """Somebody who signs in with a password and allows what is asked."""

    def __init__(self, authority: str, email: str, password: str) -> None:
        self.http = visitor(authority)
        self.email = email
        self.password = password
        self.pages: list[str] = []
        # Cookies, and the part of an address that belongs to one browser alone.
        self.known_by: set[str] = set()

    def go(self, url: str, until: str) -> dict[str, str]:
        """Walk to the address that begins with `until`, which is not opened; return its query."""
        self.pages.clear()
        answer = self._get(url)
        for _ in range(20):
            if answer.is_redirect:
                target = urljoin(answer.url, answer.headers["Location"])
                if target.startswith(until):
                    query = parse_qs(urlsplit(target).query)
                    return {name: values[0] for name, values in query.items()}
                answer = self._get(target)
            else:
                answer = self._submit(answer)
        raise StepError(f"this goes round in circles: {self.pages}")

    def _get(self, url: str) -> requests.Response:
        return self.http.get(url, allow_redirects=False, timeout=TIMEOUT)

    def _submit(self, page: requests.Response) -> requests.Response:
        handle, _, name = urlsplit(page.url).path.removeprefix("/interaction/").partition("/")
        self.pages.append(name)
        self.known_by |= {handle, *self.http.cookies.values()}
        forms = _Forms()
        forms.feed(page.text)
        wanted = [form for form in forms.found if form.method == "post" and self._leads_on(form)]
        if page.status_code != 200 or not wanted:
            raise StepError(f"no way on from {self.pages}: {page.status_code}\n{page.text[:2000]}")
        form = wanted[0]
        filled = form.hidden | {name: self._answer(kind) for name, kind in form.asked.items()}
        filled |= dict([form.way_on] if form.way_on else form.buttons[:1])
        headers = {"Referer": page.url, "Origin": "://".join(urlsplit(page.url)[:2])}
        return self.http.post(
            urljoin(page.url, form.action),
            filled,
            headers=headers,
            allow_redirects=False,
            timeout=TIMEOUT,
        )

    @staticmethod
    def _leads_on(form: Form) -> bool:
        """Whether the form asks for something or confirms; not a language menu."""
        return bool(form.asked) or form.way_on is not None

    def _answer(self, kind: str) -> str:
        return self.password if kind == "password" else self.email
