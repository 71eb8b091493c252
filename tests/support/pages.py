"""What every page of the console has."""

from playwright.sync_api import Page, expect


def follow(page: Page, name: str) -> None:
    """A link of the navigation, which is folded on a telephone."""
    size = page.viewport_size
    if size and size["width"] < 768:
        page.locator("[data-fold] > summary").click()
    link = page.get_by_role("navigation").get_by_role("link", name=name)
    expect(link).to_be_visible()
    link.click()
