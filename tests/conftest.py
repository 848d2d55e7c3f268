"""What the whole suite shares: hypothesis profiles, the shared data, and settings put back after each test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import graphdl as gd

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

# GRAPHDL_EXAMPLES=100000 searches longer, and elsewhere each time; the default is the same search every time.
settings.register_profile("ci", derandomize=True, deadline=None, database=None, suppress_health_check=_QUIET)
settings.register_profile("search", derandomize=False, deadline=None, suppress_health_check=_QUIET)
settings.load_profile("search" if "GRAPHDL_EXAMPLES" in os.environ else "ci")


@pytest.fixture(autouse=True)
def _default_floats():
    """A test that changes the default dtype leaves it as it was."""
    before = gd.floatx()
    yield
    gd.set_floatx(before)


@pytest.fixture
def shared_data() -> Path:
    """The folder of data that lies beside the repository; skips where there is none."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is absent")
    return SHARED_DATA


# Examples that would download what they learn from.
DOWNLOADING = ("credit_card", "fashion", "infert")


@pytest.fixture
def example_data(request):
    """Called with the name of an example: skips where it would have to download its data."""
    return lambda name: request.getfixturevalue("shared_data") if name in DOWNLOADING else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With GRAPHDL_CI set and the shared data present, a skip for want of that data is a failure."""
    outcome = yield
    report = outcome.get_result()
    wants_data = report.skipped and "shared/data" in str(report.longrepr[-1] if report.longrepr else "")
    if wants_data and os.environ.get("GRAPHDL_CI") and SHARED_DATA.is_dir():
        report.outcome = "failed"
        report.longrepr = f"skipped although ../shared/data is present: {report.longrepr}"
