"""One browser and one service for all files that a process tests; each test has people, and incidents, of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.house import house as standing
from tests.browser.person import Person

CHROMIUM = Path("/usr/bin/chromium")


# Not for the session: while it runs, the thread has an event loop, and other folders' tests start their own.
@pytest.fixture(scope="package")
def chromium():
    if not CHROMIUM.exists():
        pytest.fail(f"no browser at {CHROMIUM}: `make system-packages` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def house(tmp_path_factory):
    with standing(tmp_path_factory.mktemp("house")) as up:
        yield up


@pytest.fixture
def person(chromium, house):
    """Return a function that seats somebody at a browser of their own; in none may anything go wrong."""
    seated = []

    def seat(name="", **context):
        seated.append(Person.seated(chromium, house, name, **context))
        return seated[-1]

    yield seat
    wrong = [each for one in seated for each in one.wrong]
    for each in seated:
        each.leave()
    assert wrong == []
