"""A person at a browser without scripts: reads pages, fills in forms, follows redirects.

It stops where it would leave the server's origin: that address is what the client would have got.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

from tests.support.discovery import Discovery
from tests.support.html_pages import Control, Document, Form, parse

STEPS = 20
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
Parameters = Mapping[str, str | None] | Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    email: str
    password: str
    name: str = ""


@dataclass(frozen=True)
class Page:
    """Where the browser ended up. `left_for` is the address outside at which it stopped."""

    response: requests.Response
    url: str
    left_for: str | None = None

    @property
    def status(self) -> int:
        """The status code of the last answer."""
        return self.response.status_code

    @cached_property
    def document(self) -> Document:
        """The page, read."""
        return parse(self.response.text)

    @property
    def title(self) -> str:
        """The page's title."""
        return self.document.title

    @property
    def text(self) -> str:
        """What a person can read on it."""
        return self.document.text

    @property
    def form(self) -> Form:
        """The page's only form."""
        assert len(self.document.forms) == 1, f"{len(self.document.forms)} forms: {self}"
        return self.document.forms[0]

    @cached_property
    def handed_over(self) -> Form | None:
        """The form that a browser posts to another origin: an answer by `form_post`."""
        if self.left_for is not None or self.status != 200:
            return None
        for form in self.document.forms:
            target = urljoin(self.url, form.action)
            if form.method == "POST" and origin_of(target) != origin_of(self.url):
                return form
        return None

    @property
    def left(self) -> bool:
        """Whether the browser is on its way to the client, in whichever mode."""
        return self.left_for is not None or self.handed_over is not None

    @property
    def callback(self) -> dict[str, str]:
        """The parameters that the client was sent, from query, fragment or form."""
        if self.handed_over is not None:
            return dict(self.handed_over.values())
        assert self.left_for is not None, f"It stayed here: {self}"
        parts = urlsplit(self.left_for)
        return dict(parse_qsl(parts.fragment or parts.query, keep_blank_values=True))

    def __str__(self) -> str:
        """Tell what a failing test needs to know."""
        return f"{self.status} {self.url} → {self.left_for or self.title}\n{self.text[:600]}"


class Stuck(AssertionError):
    """A page asks something that this person has no answer to."""


class Browserless:
    """A user agent. `person` answers the pages; another can be set at any time."""

    def __init__(
        self, http: requests.Session, discovery: Discovery, person: Person | None = None
    ) -> None:
        self.http = http
        self.discovery = discovery
        self.person = person
        self.allows = True
        self.titles: list[str] = []

    @property
    def origin(self) -> str:
        """The origin that it stays on."""
        return self.discovery.issuer

    def get(self, url: str, parameters: Parameters = ()) -> Page:
        """Open an address of the server, with query parameters (None: left out)."""
        return self._follow("GET", url, query=_given(parameters))

    def post(self, url: str, fields: Parameters = (), referer: str | None = None) -> Page:
        """Post a form to an address of the server, as if sent from the page `referer`."""
        return self._follow("POST", url, form=_given(fields), referer=referer)

    def submit(self, page: Page, pressed: Control | None = None, form: Form | None = None) -> Page:
        """Send a page's form as it is filled in now."""
        form = form or page.form
        target = urljoin(page.url, form.action)
        if form.method == "GET":
            return self._follow("GET", target, query=form.values(pressed), referer=page.url)
        return self._follow("POST", target, form=form.values(pressed), referer=page.url)

    def authorize(self, parameters: Parameters) -> dict[str, str]:
        """Go through an authorization request to its end and return what the client is sent."""
        return self.finish(self.start(parameters)).callback

    def start(self, parameters: Parameters) -> Page:
        """Open an authorization request and return the first page that asks something."""
        return self.get(self.discovery["authorization_endpoint"], parameters)

    def finish(self, page: Page) -> Page:
        """Answer pages until the browser leaves the server. Raises Stuck."""
        for _ in range(STEPS):
            if page.left:
                return page
            page = self.answer(page)
        raise Stuck(f"It goes round in circles: {page}")

    def answer(self, page: Page) -> Page:
        """Answer one page of a sign-in as this person would. Raises Stuck."""
        if page.status == 200 and len(page.document.forms) == 1:
            form = page.form
            decision = form.button("decision", "allow" if self.allows else "cancel")
            if decision is not None:
                return self.submit(page, decision)
            if self._filled(form):
                return self.submit(page)
        raise Stuck(str(page))

    def _filled(self, form: Form) -> bool:
        if self.person is None:
            return False
        known = {"username": self.person.email, "current-password": self.person.password}
        wanted = [token for token in known if form.editable(token)]
        for token in wanted:
            form.fill(token, known[token])
        return bool(wanted)

    def _follow(
        self,
        method: str,
        url: str,
        *,
        query: list[tuple[str, str]] | None = None,
        form: list[tuple[str, str]] | None = None,
        referer: str | None = None,
    ) -> Page:
        url = urljoin(self.origin, url)
        headers = {"Accept": "text/html,*/*;q=0.8"}
        if referer:
            headers["Referer"] = referer
        if method == "POST":
            headers["Origin"] = origin_of(referer or self.origin)
        for _ in range(STEPS):
            answer = self.http.request(
                method, url, params=query, data=form, headers=headers, allow_redirects=False
            )
            url = str(answer.url)
            if answer.status_code not in _REDIRECTS:
                page = Page(answer, url)
                self.titles.append(page.title)
                return page
            assert answer.status_code != 307, f"A 307 repeats the form elsewhere: {url}"
            target = urljoin(url, answer.headers["Location"])
            if origin_of(target) != self.origin:
                return Page(answer, url, target)
            if answer.status_code != 308:
                method, form = "GET", None
                headers.pop("Origin", None)
            url, query = target, None
        raise Stuck(f"Too many redirects, the last to {url}")


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _given(parameters: Parameters) -> list[tuple[str, str]]:
    pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
    return [(name, value) for name, value in pairs if value is not None]
