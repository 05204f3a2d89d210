"""What every test gets. The fixtures themselves live in tests/support, one module for each."""

import gc
import os

import hypothesis
import pytest

from tests.support import network_guard

pytest_plugins = [
    f"tests.support.{name}"
    for name in (
        "made_once",
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


# The same examples in each run, however long one takes: no run fails by chance.
hypothesis.settings.register_profile(
    "doorward",
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


def pytest_configure(config: pytest.Config) -> None:
    """Shut the network out, and the settings of whoever runs the tests."""
    hypothesis.settings.load_profile("doorward")
    network_guard.install()
    for name in [name for name in os.environ if name.startswith("IDP_")]:
        del os.environ[name]


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays for the whole run: a fifth of its time."""
    gc.collect()
    gc.freeze()
