"""For CI (`-p tests.house.no_skips`): a skip for want of PostgreSQL or Chromium is a failure."""

import re
from collections.abc import Generator

import pytest

WANTED = re.compile("postgres|chromium", re.IGNORECASE)
Report = pytest.TestReport | pytest.CollectReport


def forbid(report: Report) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    if report.skipped and WANTED.search(reason):
        report.outcome = "failed"
        report.longrepr = f"This must not be skipped here. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    forbid(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    forbid(report)
    return report
