"""The sandbox's viewer in Chromium: fits 320 to 1440 px, needs no script, axe-clean, and nothing a mail brings runs."""

import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from carepost.sandbox import people
from tests.support.sandboxed import LivingWorld, living_world

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
HOSTILE = (
    "<p>Hello</p><script>top.document.title='owned'</script><img src=x onerror=\"fetch('https://evil.example/')\">"
    '<img src="https://evil.example/pixel.png"><form action="https://evil.example/"><button>Go</button></form>'
)


def send(living: LivingWorld, to: str, raw: bytes) -> None:
    with smtplib.SMTP(*living.world.dial[f"mx.{to.partition('@')[2]}"], timeout=10) as client:
        client.ehlo()
        if client.has_extn("starttls"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            client.starttls(context=context)
        client.sendmail("nora@clinic.test", [to], raw)


def notice(to: str, link: str, page: str = "") -> bytes:
    return compose.build(
        from_=Mailbox("Demo Clinic", "notice@clinic.test"),
        to=(Mailbox("", to),),
        subject="A secure message is waiting for you",
        text=f"Open it here: {link}",
        html=page or f'<p>Open it <a href="{link}">here</a></p>',
        message_id="<n@clinic.test>",
        at=1_700_000_000_000_000,
        headers=(("Auto-Submitted", "auto-generated"),),
    )


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingWorld]:
    with living_world(tmp_path_factory.mktemp("home")) as world:
        send(world, people.SAMPLES[0].address, people.mime(people.SAMPLES[0]))
        send(world, people.SAMPLES[3].address, notice(people.SAMPLES[3].address, world.world.viewer))
        send(world, "attacked@plain.test", notice("attacked@plain.test", "https://portal.clinic.test/", HOSTILE))
        yield world


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield started
        started.close()


def open_page(browser: Browser, url: str, width: int, scheme: str = "light", *, script: bool = True) -> Page:
    """A page in a context of its own; the caller closes `page.context`."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
        bypass_csp=script,  # axe itself is put in by the test
    )
    page = context.new_page()
    page.goto(url)
    return page


def pages(living: LivingWorld) -> list[str]:
    base = living.world.viewer
    mails = [living.world.mailbox(a)[0].id for a in (people.SAMPLES[0].address, "attacked@plain.test")]
    return [base, *(f"{base}messages/{mail}" for mail in mails), f"{base}nowhere"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 1440])
def test_pages_are_accessible_and_fit(living: LivingWorld, browser: Browser, width: int, scheme: str) -> None:
    for url in pages(living):
        page = open_page(browser, url, width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, url
        page.add_script_tag(content=AXE.read_text())
        found = page.evaluate(
            "async () => (await axe.run(document, {iframes: false})).violations.map(v => v.id + ' ' + v.nodes[0].html)"
        )
        assert found == [], url
        page.context.close()


def test_the_way_from_the_list_to_the_message_without_script(living: LivingWorld, browser: Browser) -> None:
    sample = people.SAMPLES[0]
    page = open_page(browser, living.world.viewer, 1440, script=False)
    assert page.title() == "Sandbox mailboxes · Carepost sandbox"
    page.get_by_role("link", name=sample.address).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(sample.address)
    page.get_by_role("link", name=sample.subject).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(sample.subject)
    assert "TEST-0001" not in page.title()
    expect(page.get_by_text("Arrived over TLS 1.3")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_text("5.1 mmol/l")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name=sample.attachment.filename).click()
    assert Path(download.value.path()).read_bytes() == sample.attachment.data
    with page.expect_download() as download:
        page.get_by_role("link", name="Download .eml").click()
    assert Path(download.value.path()).read_bytes() == living.world.mailbox(sample.address)[0].raw
    page.context.close()


def test_the_list_can_be_used_by_keyboard(living: LivingWorld, browser: Browser) -> None:
    page = open_page(browser, living.world.viewer, 1440)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sandbox/mailboxes/*")
    page.context.close()


def test_a_link_in_a_notice_opens_outside_the_frame(living: LivingWorld, browser: Browser) -> None:
    mail = living.world.mailbox(people.SAMPLES[3].address)[0]
    page = open_page(browser, f"{living.world.viewer}messages/{mail.id}", 375)
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name="here").click()
    assert opened.value.url == living.world.viewer
    assert opened.value.evaluate("window.opener") is None
    page.context.close()


def test_nothing_of_a_hostile_mail_runs_or_is_fetched_bi_062(living: LivingWorld, browser: Browser) -> None:
    mail = living.world.mailbox("attacked@plain.test")[0]
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    stopped: list[tuple[str, str]] = []
    page.on("requestfailed", lambda request: stopped.append((request.url, request.failure or "")))
    page.goto(f"{living.world.viewer}messages/{mail.id}")
    page.frame_locator("iframe").get_by_text("Hello").wait_for()
    assert page.title() == "Mail · Carepost sandbox"
    assert page.frame_locator("iframe").locator("form, script").count() == 0
    # The mail names a picture elsewhere: the page's policy stops it before any connection.
    elsewhere = {url for url in asked if not url.startswith((living.world.viewer, "data:"))}
    assert elsewhere == {"https://evil.example/pixel.png"}
    assert stopped == [("https://evil.example/pixel.png", "csp")]
    widths = page.frames[1].evaluate("Array.from(document.images, image => image.naturalWidth)")
    assert widths
    assert not any(widths)
    context.close()
