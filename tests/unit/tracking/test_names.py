"""Names of clients and tables of networks."""

import pytest

from carepost.ground.errors import ConfigError
from carepost.tracking import networks
from carepost.tracking.clients import read, released
from carepost.tracking.types import CLIENTS

pytestmark = pytest.mark.fast

DAY = 20_779
KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML}"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
PHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {APPLE}"
NAMES = [
    ("", "missing", "none"),
    ("Mozilla/5.0", "mpp", "none"),
    (f"{WINDOWS} Chrome/155.0.0.0 Safari/537.36", "chrome", "windows"),
    (f"{WINDOWS} Chrome/155.0.0.0 Safari/537.36 Edg/155.0.0.0", "edge", "windows"),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KHTML} Chrome/155.0.0.0 Safari/537.36", "chrome", "chromeos"),
    (
        f"Mozilla/5.0 (Linux; Android 10; K) {KHTML} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
        "samsung",
        "android",
    ),
    (f"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) {KHTML} Chrome/90.0.0.0 Mobile Safari/537.36", "chrome", "android"),
    (
        f"Mozilla/5.0 (Linux; Android 14; SM; wv) {KHTML} Version/4.0 Chrome/150.0.0.0 Mobile Safari/537.36",
        "webview",
        "android",
    ),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "firefox", "linux"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0", "mailer", "linux"),
    (f"{PHONE} Version/18.1 Mobile/15E148 Safari/604.1", "safari", "ios"),
    (f"{PHONE} CriOS/150.0 Mobile/15E148 Safari/604.1", "chrome", "ios"),
    (f"{PHONE} Mobile/15E148", "webview", "ios"),
    (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE}", "mailer", "mac"),
    ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "ie", "windows"),
    ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; ms-office; MSOffice 16)", "office", "windows"),
    (
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "gmail-proxy",
        "windows",
    ),
    (f"{WINDOWS} Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0", "gmail-prefetch", "windows"),
    (f"{WINDOWS} Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Gmail-content-sampling", "gmail-prefetch", "windows"),
    ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "yahoo-proxy", "none"),
    ("python-requests/2.32.3", "library", "none"),
    ("curl/8.5.0", "library", "none"),
    ("Barracuda Sentinel (EE)", "scanner", "none"),
    ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "preview", "none"),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler", "none"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {KHTML} HeadlessChrome/156.0.0.0 Safari/537.36", "headless", "linux"),
    ("Lynx/2.9.2 libwww-FM/2.14", "textual", "none"),
    ("okhttp/4.12.0", "app", "none"),
    ("MobileMail/600 CFNetwork/1568.1 Darwin/24.0", "app", "mac"),
    ("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 7)", "app", "android"),
]


@pytest.mark.parametrize(("agent", "family", "platform"), NAMES, ids=[f"{n}-{row[1]}" for n, row in enumerate(NAMES)])
def test_a_name_is_read(agent: str, family: str, platform: str) -> None:
    found = read(agent, DAY)
    assert found.family == family and found.family in CLIENTS
    assert platform in ("none", found.platform) and not found.impossible


def test_the_age_of_a_browser_is_told_by_its_version() -> None:
    def age(agent: str) -> int:
        return read(agent, DAY).age

    chrome = f"{WINDOWS} Chrome/%d.0.0.0 Safari/537.36"
    assert [age(chrome % major) for major in (156, 138, 109, 57)] == [0, 1, 3, 9]
    assert age("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko") == 13
    assert age(f"Mozilla/5.0 (iPad; CPU OS 12_1 like Mac OS X) {APPLE} Version/12.1 Mobile/15E148 Safari/604.1") == 8
    # Chrome on an iPhone is Apple's engine: its version tells nothing of it
    assert age(f"{PHONE} CriOS/90.0 Mobile/1 Safari/604.1") == -1


def test_versions_come_out_one_after_the_other() -> None:
    for family in ("chrome", "firefox", "safari", "samsung"):
        days = [released(family, major) or 0 for major in range(1, 200)]
        assert days == sorted(days)


def test_two_systems_at_once_are_impossible() -> None:
    assert read(f"Mozilla/5.0 (Windows NT 10.0; Macintosh) {KHTML} Chrome/150.0.0.0 Safari/537.36", DAY).impossible
    assert read(f"Mozilla/5.0 (Windows NT 10.0) {KHTML} Chrome/999.0.0.0 Safari/537.36", DAY).impossible


def test_the_longest_prefix_counts() -> None:
    table = networks.parse(
        ["# a comment", "", "198.51.100.0/24 hosting  # whole", "198.51.100.128/25 relay", "2001:db8::/32 vpn"]
    )
    assert [table.klass(a) for a in ("198.51.100.1", "198.51.100.129", "2001:db8::1")] == ["hosting", "relay", "vpn"]
    assert [table.klass(a) for a in ("9.9.9.9", "10.0.0.1", "127.0.0.1", "fe80::1%eth0", "", "x")] == [
        "unlisted",
        "private",
        "private",
        "private",
        "unknown",
        "unknown",
    ]
    assert len(table) == 3


@pytest.mark.parametrize("line", ["198.51.100.0/24", "198.51.100.0/24 moon", "198.51.100.1/24 vpn", "x vpn", "a b c"])
def test_a_table_with_a_wrong_line_names_it(line: str) -> None:
    with pytest.raises(ConfigError, match="line 2"):
        networks.parse(["192.0.2.0/24 vpn", line])


@pytest.mark.parametrize(
    ("address", "klass"),
    [
        ("104.28.30.10", "relay"),
        ("172.224.226.1", "relay"),
        ("172.225.10.5", "relay"),
        ("146.75.128.4", "relay"),
        ("2a02:26f7:c9c8::1", "relay"),
        ("40.94.29.84", "microsoft"),
        ("66.249.84.1", "google"),
        ("165.225.1.1", "webproxy"),
        ("67.231.152.1", "gateway"),
        ("205.139.110.61", "gateway"),
        ("3.5.1.1", "amazon"),
        ("51.38.1.1", "hosting"),
        ("98.137.1.1", "yahoo"),
        ("73.1.1.1", "unlisted"),
        ("2600:1700::1", "unlisted"),
    ],
)
def test_the_table_that_ships_knows(address: str, klass: str) -> None:
    assert networks.shipped().klass(address) == klass
