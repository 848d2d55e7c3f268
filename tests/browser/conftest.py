"""A browser for the suite: Chromium, driven by selenium, which is told where both are so that it fetches nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.browser.reader import Reader

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DRIVERS = ("chromedriver", "chromium.chromedriver")


def _absent(what: str) -> None:
    """Skip, with the reason; fail where the suite is to be whole, unless CI has tried in vain to install it."""
    reason = f"{what} is absent; on Debian: apt-get install chromium chromium-driver; python -m pip install selenium"
    if os.environ.get("GRAPHDL_CI") and not os.environ.get("GRAPHDL_NO_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium for the whole run."""
    program, driver = (next(filter(None, map(shutil.which, names)), None) for names in (BROWSERS, DRIVERS))
    if program is None or driver is None:
        _absent("chromium" if program is None else "chromedriver")
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ModuleNotFoundError:
        _absent("selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = webdriver.Chrome(service=Service(driver), options=options)
    running.set_script_timeout(20)
    yield running
    running.quit()


@pytest.fixture
def reader(browser, tmp_path: Path):
    """Someone who opens pages and presses keys; at the end nothing may have been complained about."""
    found = Reader(browser, tmp_path)
    found.resize(1280, 900)
    yield found
    assert found.complaints() == []
