"""`tracking.md` is the table: every line is a case, from raw headers and addresses to the verdict and its words."""

import itertools
import re
from pathlib import Path

import pytest

from carepost.tracking.derive import derive
from carepost.tracking.judge import judge
from carepost.tracking.networks import parse
from carepost.tracking.reasons import words
from carepost.tracking.types import Hit, Request, Trail

pytestmark = pytest.mark.fast

LINES = [
    [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    for line in (Path(__file__).parent / "tracking.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| case")
]
CASES = [(case, list(rows)) for case, rows in itertools.groupby(LINES, key=lambda row: row[0])]

#: a table of the shipped form, so that this page does not change with the world's networks
NETWORKS = parse(
    [
        "198.51.100.0/26 google", "198.51.100.64/26 amazon", "198.51.100.128/26 microsoft", "198.51.100.192/26 gateway",
        "203.0.113.0/26 relay", "203.0.113.64/26 webproxy", "203.0.113.128/26 yahoo",
    ]
)  # fmt: skip
ADDRESSES = {
    "Google": "198.51.100.3", "Amazon": "198.51.100.70", "Microsoft": "198.51.100.130", "Apple's relay": "203.0.113.2",
    "maker of mail security": "198.51.100.200", "web filter": "203.0.113.70", "Yahoo": "203.0.113.130",
    "home": "73.20.30.40", "other home": "24.5.6.7", "office": "12.9.8.7",
}  # fmt: skip
KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"
HTML = ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
LANGUAGE, CODING = ("Accept-Language", "en-US,en;q=0.9"), ("Accept-Encoding", "gzip, deflate, br, zstd")


def chromium(major: int, site: str = "none", edge: bool = False) -> list[tuple[str, str]]:
    agent = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/{major}.0.0.0 Safari/537.36"
    brand = "Microsoft Edge" if edge else "Google Chrome"
    return [
        ("User-Agent", agent + (f" Edg/{major}.0.0.0" if edge else "")), HTML, LANGUAGE, CODING,
        ("sec-ch-ua", f'"Chromium";v="{major}", "{brand}";v="{major}"'), ("sec-ch-ua-platform", '"Windows"'),
        ("Upgrade-Insecure-Requests", "1"), ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-User", "?1"), ("Sec-Fetch-Dest", "document"),
    ]  # fmt: skip


def named(agent: str, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [("User-Agent", agent), *more]


IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) {KHTML} Version/26.1 Mobile/15E148 Safari/604.1"
IPAD = f"Mozilla/5.0 (iPad; CPU OS 12_1 like Mac OS X) {KHTML} Version/12.1 Mobile/15E148 Safari/604.1"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome"
LINUX = ("Windows NT 10.0; Win64; x64", "X11; Linux x86_64")
CLIENTS = {
    "Chrome": chromium(156),
    "Chrome, in a page": chromium(156, "cross-site"),
    "Edge": chromium(155, edge=True),
    "Linux Chrome": [(name, value.replace(*LINUX).replace('"Windows"', '"Linux"')) for name, value in chromium(156)],
    "Explorer 8": named("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)", ("Accept-Encoding", "gzip")),
    "Chrome of 2023": chromium(109),
    "Chrome of 2017": named(f"{WINDOWS}/57.0.2987.133 Safari/537.36", HTML, LANGUAGE, ("Accept-Encoding", "gzip")),
    "bare Chrome": named(f"{WINDOWS}/150.0.0.0 Safari/537.36", HTML, ("Accept-Encoding", "gzip")),
    "stripped Chrome": [h for h in chromium(150) if h not in (LANGUAGE, CODING)],
    "iPhone": named(
        IPHONE,
        HTML,
        LANGUAGE,
        CODING,
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Site", "none"),
        ("Sec-Fetch-Dest", "document"),
    ),
    "iPad of 2018": named(IPAD, HTML, LANGUAGE, ("Accept-Encoding", "br, gzip, deflate")),
    "Lynx": named("Lynx/2.9.2 libwww-FM/2.14 SSL-MM/1.4.1", ("Accept", "text/html, text/plain, */*;q=0.01")),
    "Mozilla/5.0": named("Mozilla/5.0", ("Accept", "*/*")),
    "Gmail's prefetch": named(f"{WINDOWS}/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"),
    "Gmail's picture proxy": named(
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    ),
    "Yahoo's picture proxy": named("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"),
    "Outlook": named("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; ms-office; MSOffice 16)"),
    "python-requests [braze]": named("python-requests/2.32.3", ("Accept", "*/*")),
    "Barracuda Sentinel [braze]": named("Barracuda Sentinel (EE)", ("Accept", "*/*")),
    "Slack": named("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", ("Accept", "*/*")),
}


def moment(text: str) -> int:
    """Microseconds of `1 h 0.7 s`, `-3 s`."""
    units = {"h": 3600, "min": 60, "s": 1}
    return round(sum(float(n) * units[unit] for n, unit in re.findall(r"(-?[\d.]+) (h|min|s)", text)) * 1e6)


def hit(row: list[str], number: int) -> Hit:
    _, _, when, what, client, network, _, _ = row
    headers = list(CLIENTS[client])
    if "ahead" in what:
        headers.append(("Sec-Purpose", "prefetch;prerender"))
    link = re.search(r"link (\d+)", what)
    request = Request(
        kind="open" if what == "picture" else "click",
        role={"picture": "pixel", "decoy": "decoy", "out": "unsubscribe"}.get(what, "link"),  # type: ignore[arg-type]
        method="HEAD" if "HEAD" in what else "GET",
        address=ADDRESSES[network],
        headers=tuple((name.encode(), value.encode()) for name, value in headers),
        since=moment(when),
        day=20_779,
        link=int(link[1]) if link else 0,
        altered="altered" in what,
    )
    return Hit(str(number), derive(request, salt=b"0123456789abcdef", networks=NETWORKS))


def test_the_table_is_read_whole() -> None:
    assert len(CASES) >= 35
    assert {row[6] for row in LINES} == {"human", "automated", "undetermined"}


@pytest.mark.parametrize(("case", "rows"), CASES, ids=[re.sub(r"\W+", "-", case) for case, _ in CASES])
def test_a_fetch_is_judged_as_the_table_says(case: str, rows: list[list[str]]) -> None:
    hits = tuple(hit(row, number) for number, row in enumerate(rows))
    for row, verdict in zip(rows, judge(Trail(hits=hits, links=int(rows[0][1]), decoy=True)), strict=True):
        assert (verdict.verdict.value, words(verdict.reason)) == (row[6], row[7]), (row[2], row[3], verdict.evidence)
        assert 0.5 <= verdict.confidence <= 0.99
