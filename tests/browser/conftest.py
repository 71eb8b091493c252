"""Real Chromium before Django's live server: the portal as a recipient meets it, the console as staff do.

`checked(page)` runs axe-core on what is shown and fails for anything serious or critical. Only loopback is reached.
"""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.core.signals import request_finished, request_started
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.support import pages

os.environ.setdefault("CAREPOST_SETTINGS_CHECK", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carepost.settings.everything")
# Playwright's sync interface keeps an event loop in this thread; the tests use the database beside it
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
django.setup()

# A real browser, a server and axe share two cores with the rest of the suite, and the first page of a process compiles
# its templates: these limits only end what hangs.
PATIENCE_MS = 90_000
TEST_S = 900
expect.set_options(timeout=PATIENCE_MS)

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
CHROMIUM = os.environ.get("CAREPOST_TEST_CHROMIUM", "/usr/bin/chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_S))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Of one module: Playwright's sync interface is entered once at a time, and other modules enter it themselves."""
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


class UnderWay:
    """Requests the live server has begun and not ended."""

    def __init__(self) -> None:
        self._count = 0
        self._moved = threading.Condition()
        request_started.connect(self._begun, weak=False)
        request_finished.connect(self._ended, weak=False)

    def _begun(self, **_: object) -> None:
        with self._moved:
            self._count += 1

    def _ended(self, **_: object) -> None:
        with self._moved:
            self._count = max(0, self._count - 1)
            self._moved.notify_all()

    def none(self) -> None:
        """Waits until the last one ended: what a page still sends when it is closed must not meet a database that is
        being emptied."""
        with self._moved:
            self._moved.wait_for(lambda: not self._count, timeout=60)
            self._count = 0


_under_way = UnderWay()


@pytest.fixture(autouse=True)
def _to_the_next_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Locator, "click", pages.click)


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """A page of its own context. Keyword arguments are the context's. Its errors are kept in `page.faults`."""
    contexts: list[Any] = []

    def make(**options: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.add_init_script(pages.LEAVING)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        # what the browser itself gives up when the next page comes first (the icon, a count being looked up) is no
        # fault; a server that fails or breaks off has another word than "aborted"
        page.on(
            "requestfailed",
            lambda request: (
                None
                if request.failure == "net::ERR_ABORTED"
                else faults.append(f"failed: {request.url} ({request.failure})")
            ),
        )
        page.faults = faults  # type: ignore[attr-defined]
        return page

    yield make
    for context in contexts:
        context.close()
    _under_way.none()


@pytest.fixture(scope="session")
def checked() -> Callable[[Page], None]:
    source = AXE.read_text()

    def check(page: Page) -> None:
        # evaluate() is not bound by the page's policy, so the copy of axe needs no exception in it
        page.evaluate(source)
        found = page.evaluate(
            "async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',"
            " 'best-practice']})).violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 160))])"
        )
        bad = [v for v in found if v[0] in ("serious", "critical")]
        assert not bad, bad

    return check


@pytest.fixture
def no_sideways(checked: Any) -> Callable[[Page], None]:
    def check(page: Page) -> None:
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} scrolls sideways by {wide} px"

    return check
