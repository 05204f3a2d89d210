"""The gallery on loopback and a page that reports everything it complains about."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Error, Page
from werkzeug.serving import make_server

from .gallery import create_gallery

Visit = Callable[..., Page]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives a real Chromium")


AUTOFOCUSED = (
    "() => !document.querySelector('[autofocus]') || document.activeElement !== document.body"
)


@pytest.fixture(scope="session")
def gallery() -> Flask:
    return create_gallery()


@pytest.fixture(scope="session")
def gallery_url(gallery: Flask) -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, gallery, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def ordinary_page(chromium: Browser) -> Iterator[Page]:
    """One page for all visits without wishes of their own: a new one for each costs too much."""
    context = chromium.new_context(reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.fixture
def visit(chromium: Browser, ordinary_page: Page, gallery_url: str) -> Iterator[Visit]:
    """`visit("consent", width=320)` opens a sample; whatever the console says fails the test."""
    with ExitStack() as stack:
        complaints: list[str] = []

        def on_console(message: ConsoleMessage) -> None:
            complaints.append(message.text)

        def on_error(error: Error) -> None:
            complaints.append(str(error))

        def opener(name: str, *, width: int = 1280, **options: Any) -> Page:
            page = ordinary_page
            if options:
                context = chromium.new_context(**options)
                stack.callback(context.close)
                page = context.new_page()
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=options.get("color_scheme", "light"))
            page.on("console", on_console)
            page.on("pageerror", on_error)
            stack.callback(page.remove_listener, "console", on_console)
            stack.callback(page.remove_listener, "pageerror", on_error)
            page.goto(f"{gallery_url}/pages/{name}")
            # Chromium does it with the first frame, and complains when the keyboard was quicker.
            page.wait_for_function(AUTOFOCUSED)
            return page

        yield opener
        assert complaints == []
