"""Pictures of clients: fetched off the request path, checked, and shown from our own origin."""

from collections.abc import Callable
from functools import partial

import pytest

from idp.domain import pictures
from idp.domain.logos import LARGEST, Logos
from idp.domain.services import Services
from idp.outbound.fetching import Fetched, FetchFailed
from tests.registration import drawing
from tests.registration.registrar import METADATA, Registrar
from tests.support.browserless import Browserless
from tests.support.held_clock import HeldClock

LOGO = "https://guide.example.test/logo.png"
DAY = 86400


class Web:
    """What is at which address; None: nothing answers."""

    def __init__(self, **found: bytes | None) -> None:
        self.found = found
        self.asked: list[str] = []

    def get(self, url: str, *, accept: tuple[str, ...], largest: int = 0) -> Fetched:
        """Answer as a Fetcher does."""
        assert (accept, largest) == (pictures.MEDIA_TYPES, LARGEST)
        self.asked.append(url)
        body = self.found.get(url.rpartition("/")[2].partition(".")[0])
        if body is None:
            raise FetchFailed("nothing there")
        return Fetched(body, "image/png", None)


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("image/png", drawing.png),
        ("image/gif", drawing.gif),
        ("image/jpeg", drawing.jpeg),
        ("image/webp", drawing.webp),
        ("image/webp", partial(drawing.webp, kind=b"VP8L")),
        ("image/webp", partial(drawing.webp, kind=b"VP8 ")),
    ],
)
def test_a_picture_is_known_by_its_bytes(name: str, draw: Callable[..., bytes]) -> None:
    whole = draw()
    assert pictures.media_type(whole) == name
    largest = pictures.LARGEST_SIDE
    assert pictures.media_type(draw(largest, 1)) == name
    assert pictures.media_type(draw(1, largest + 1)) is None
    assert pictures.media_type(draw(largest + 1, 1)) is None
    # Whatever is cut off, nothing breaks.
    assert {pictures.media_type(whole[:end]) for end in range(len(whole))} <= {name, None}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        drawing.SVG,
        b"<!doctype html>",
        b"\xff\xd8\xff" + b"\xff" * 500,
        b"RIFF0000WEBPVP8Q" * 9,
    ],
)
def test_what_is_no_picture(body: bytes) -> None:
    assert pictures.media_type(body) is None


@pytest.mark.settings(registration="open")
@pytest.mark.every_database
def test_a_logo_is_fetched_later_and_shown_from_here(
    registrar: Registrar, services: Services, clock: HeldClock, browserless: Browserless
) -> None:
    web = Web(logo=drawing.png())
    logos = Logos(services.store, services.clients, clock, web)
    told = registrar.registered(logo_uri=LOGO)
    assert told["logo_uri"] == LOGO
    assert web.asked == []
    client = registrar.client(told)

    def shown() -> str:
        page = browserless.start(client.authorization("openid")).response.text
        _, image, rest = page.partition('<img class="logo" src="')
        assert LOGO not in page
        return rest.partition('"')[0] if image else ""

    assert shown() == ""
    logos.fetch_due()
    assert web.asked == [LOGO]
    path = shown()
    answer = registrar.http.get(f"{registrar.issuer}{path}")
    assert (answer.status_code, answer.content) == (200, drawing.png())
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    # Once found it is not asked for again, a change of something else does not matter either.
    told = registrar.put(told, **METADATA, logo_uri=LOGO).json()
    clock.advance(DAY)
    logos.fetch_due()
    assert (web.asked, shown()) == ([LOGO], path)
    # Another one takes its place, what is no picture does not.
    web.found["other"] = drawing.SVG
    told = registrar.put(told, **METADATA, logo_uri=LOGO.replace("logo", "other")).json()
    assert shown() == ""
    assert registrar.http.get(f"{registrar.issuer}{path}").status_code == 404
    logos.fetch_due()
    assert shown() == ""
    web.found["other"] = drawing.gif()
    clock.advance(60)
    logos.fetch_due()
    assert registrar.http.get(f"{registrar.issuer}{shown()}").headers["Content-Type"] == "image/gif"
    registrar.put(told, **METADATA)
    assert shown() == ""


@pytest.mark.settings(registration="open")
@pytest.mark.every_database
def test_of_several_nodes_one_fetches(
    registrar: Registrar, services: Services, clock: HeldClock
) -> None:
    class Slow(Web):
        def get(self, url: str, *, accept: tuple[str, ...], largest: int = 0) -> Fetched:
            """Let another node look meanwhile."""
            other.fetch_due()
            return super().get(url, accept=accept, largest=largest)

    web, meanwhile = Slow(logo=drawing.png()), Web()
    other = Logos(services.store, services.clients, clock, meanwhile)
    client_id = registrar.registered(logo_uri=LOGO)["client_id"]
    Logos(services.store, services.clients, clock, web).fetch_due()
    assert (web.asked, meanwhile.asked) == ([LOGO], [])
    assert services.clients.get(client_id).logo


@pytest.mark.settings(registration="open")
def test_who_registers_does_not_wait_for_the_next_look(
    registrar: Registrar, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[object] = []
    background = services.registering.logos._background
    monkeypatch.setattr(background, "wake", lambda: looks.append(1))
    told = registrar.registered()
    assert looks == []
    told = registrar.put(told, **METADATA, logo_uri=LOGO).json()
    registrar.registered(logo_uri=LOGO)
    assert len(looks) == 2


def test_who_has_no_picture_is_asked_a_few_times(services: Services, clock: HeldClock) -> None:
    web = Web()
    logos = Logos(services.store, services.clients, clock, web)
    with services.store.writing() as connection:
        services.clients.change_within(
            connection, "webapp", {**services.clients.get("webapp").details, "logo_uri": LOGO}, None
        )
    for _ in range(60):
        logos.fetch_due()
        clock.advance(DAY // 2)
    assert web.asked == [LOGO] * 6
    assert services.clients.get("webapp").logo is None
