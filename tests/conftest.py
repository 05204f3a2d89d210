"""What every test gets. The fixtures themselves live in tests/support, one module for each."""

import os

import pytest

from tests.support import network_guard

pytest_plugins = [
    f"tests.support.{name}"
    for name in (
        "databases",
        "application",
        "more_clients",
        "raw_requests",
        "refusals",
        "serving",
        "tls_site",
        "exam",
        "chromium",
    )
]


def pytest_configure(config: pytest.Config) -> None:
    """Shut the network out, and the settings of whoever runs the tests."""
    network_guard.install()
    for name in [name for name in os.environ if name.startswith("IDP_")]:
        del os.environ[name]
