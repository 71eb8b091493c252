"""What every page of the console has, and when a page that is being left has been left."""

import time
from typing import Any

from playwright.sync_api import Error, Locator, Page, expect

#: In every document: whether it is being left. A click answers before the browser has asked for the next page, so what
#: follows would look at the old one, or be cut off in the middle.
LEAVING = """(() => {
    if (window.top !== window) return;
    addEventListener("submit", event => {
        const form = event.target;
        if (!event.defaultPrevented && form.method !== "dialog" && (!form.target || form.target === "_self"))
            window.__leaving = true;
    });
    window.navigation && navigation.addEventListener("navigate", event => {
        if (!event.destination.sameDocument && !event.hashChange && event.downloadRequest === null)
            window.__leaving = true;
    });
})()"""
#: A file sent in answer leaves the page where it was: then the wait ends by itself, after so many seconds.
PATIENCE = 60
_click = Locator.click


def settled(page: Page) -> None:
    """Returns when the page that the last act led to is there."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        # a form is sent in a task of its own, right after the click's
        page.wait_for_timeout(10)
        try:
            if not page.evaluate("() => !!window.__leaving"):
                break
        except Error:
            # the page went away under the question
            continue
    page.wait_for_load_state("load")


def click(self: Locator, **options: Any) -> None:
    """In place of `Locator.click`: the page it leads to is there when it returns."""
    page = self.page
    _click(self, **options)
    if not page.is_closed():
        settled(page)


def follow(page: Page, name: str) -> None:
    """A link of the navigation, which is folded on a telephone, and in groups elsewhere."""
    size = page.viewport_size
    if size and size["width"] < 768:
        page.locator("[data-fold] > summary").click()
    navigation = page.get_by_role("navigation", name="Main", exact=True)
    expect(navigation).to_be_visible()
    group = navigation.locator("details", has=page.get_by_role("link", name=name, include_hidden=True))
    if group.count() and not group.evaluate("group => group.open"):
        group.locator("summary").click()
    link = navigation.get_by_role("link", name=name)
    expect(link).to_be_visible()
    link.click()
