"""Plays the scripts of `heldout_2.md`: a third kind of family, one line of a table each."""

import pathlib
import random
import re
from collections.abc import Callable

from world import (
    AZURE,
    CLOUDS,
    FILTERS,
    GMAIL,
    GOOGLE,
    HOMES,
    NOW_CHROME,
    NOW_FIREFOX,
    OFFICES,
    OUTLOOK,
    RELAYS,
    THUNDERBIRD,
    VENDORS,
    Copy,
    Event,
    Scene,
    address,
    chrome,
    firefox,
    plain,
    safari,
    windows,
)

Headers = list[tuple[str, str]]
NETS = {
    "cloud": CLOUDS,
    "azure": AZURE,
    "hosting": ("167.99.{1}.{2}", "51.38.{1}.{2}", "5.9.{1}.{2}", "95.216.{1}.{2}"),
    "vendor": VENDORS,
    "office": OFFICES,
    "home": HOMES,
    "home2": HOMES,
    "@h": HOMES,
    "filter": FILTERS,
    "relay": RELAYS,
    "vpn": ("146.70.{1}.{2}", "185.220.101.{2}"),
    "google": GOOGLE,
    "carrier": ("172.58.{1}.{2}", "166.205.{1}.{2}"),
}
PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def wrong_brand() -> Headers:
    """A new name over an older engine that still says its own brand."""
    return [(n, windows("155.0.0.0") if n == "User-Agent" else v) for n, v in chrome("linux", 131)]


def webview() -> Headers:
    agent = "Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0"
    agent += f" Chrome/{NOW_CHROME - 1}.0.0.0 Mobile Safari/537.36"
    head = chrome("android", NOW_CHROME - 1, mobile=True)
    return [(n, agent if n == "User-Agent" else v.replace("Google Chrome", "Android WebView")) for n, v in head]


def stripped() -> Headers:
    gone = ("Accept-Encoding", "Accept-Language", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform")
    return [h for h in chrome("windows", NOW_CHROME - 6) if h[0] not in gone]


CLIENTS: dict[str, Callable[[random.Random], Headers]] = {
    "bare": lambda r: r.choice(
        (
            plain(windows(f"{NOW_CHROME - r.randrange(40)}.0.0.0"), coding="gzip, deflate"),
            plain(windows("92.0.4515.131"), accept=PAGE),
            plain(
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:109.0) Gecko/20100101 Firefox/118.0",
                accept=PAGE,
                coding="gzip",
            ),
        )
    ),
    "old-chrome": lambda r: plain(
        windows(r.choice(("64.0.3282.140", "72.0.3626.109", "79.0.3945.74"))),
        accept=PAGE,
        lang="en-US",
        coding="gzip, deflate, br",
    ),
    "msie": lambda r: plain("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)", coding="gzip"),
    "library": lambda r: plain(
        r.choice(("python-requests/2.31.0", "Go-http-client/1.1", "okhttp/4.12.0", "Java/11.0.20", ""))
    ),
    "preview": lambda r: plain(
        r.choice(("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "WhatsApp/2.23.20.0"))
    ),
    "edge": lambda r: chrome("windows", NOW_CHROME - r.randrange(3), edge=True),
    "edge-page": lambda r: chrome("windows", NOW_CHROME - r.randrange(3), edge=True),
    "linux-chrome": lambda r: chrome("linux", NOW_CHROME - r.choice((0, 2, 9))),
    "mac-chrome": lambda r: chrome("mac", NOW_CHROME - r.randrange(3)),
    "tab-chrome": lambda r: chrome("windows", NOW_CHROME, site="cross-site"),
    "tab-firefox": lambda r: firefox("linux", NOW_FIREFOX - r.randrange(3), site="cross-site"),
    "firefox": lambda r: firefox("windows", NOW_FIREFOX),
    "android": lambda r: chrome("android", NOW_CHROME - r.randrange(3), mobile=True),
    "iphone": lambda r: safari("iphone", r.choice((26, 26, 18))),
    "mac-safari": lambda r: safari("mac", r.choice((26, 18))),
    "old-ipad": lambda r: safari("ipad", r.choice((10, 12, 15))),
    "phone": lambda r: safari("iphone", 26) if r.random() < 0.5 else chrome("android", NOW_CHROME, mobile=True),
    "any": lambda r: r.choice(
        (
            chrome("windows"),
            chrome("mac", site="cross-site"),
            firefox("windows"),
            safari("iphone"),
            chrome("android", mobile=True),
        )
    ),
    "win7": lambda r: r.choice(
        (
            chrome("windows7", 109),
            firefox("windows7", 115),
            plain(
                "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
                accept="text/html, */*",
                lang="en-US",
                coding="gzip",
            ),
        )
    ),
    "webview": lambda r: webview(),
    "wrong-brand": lambda r: wrong_brand(),
    "stripped": lambda r: stripped(),
    "lynx": lambda r: plain(
        "Lynx/2.8.9rel.1 libwww-FM/2.14 SSL-MM/1.4.1", accept="text/html, text/plain, */*;q=0.01", lang="en"
    ),
    "outlook": lambda r: plain(OUTLOOK),
    "gmail": lambda r: plain(GMAIL),
    "thunderbird": lambda r: plain(THUNDERBIRD),
}
STEP = re.compile(
    r"(?P<time>\+?-?[\d.]+[smh](?:--?[\d.]+[smh])?) (?P<who>[pm]) (?P<what>\w+) as (?P<client>[\w-]+)"
    r" from (?P<net>[\w@]+)(?P<rest>.*)"
)
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def span(text: str) -> tuple[float, float]:
    found = [float(n) * UNITS[u] for n, u in re.findall(r"((?:(?<=-)-|^-)?[\d.]+)([smh])", text)]
    return found[0], found[-1]


def option(rest: str, name: str) -> str:
    found = re.search(rf"\b{name} (\S+)", rest)
    return found[1] if found else ""


def targets(what: str, copy: Copy, last: tuple[str, int], r: random.Random) -> list[tuple[str, int]]:
    links = [("link", n) for n in range(1, copy.links + 1)]
    if what == "all":
        return links
    if what == "first":
        return links[:1]
    if what == "one":
        return [r.choice(links)]
    if what == "some":
        return sorted(r.sample(links, min(len(links), r.choice((1, 2, 3)))))
    if what == "same":
        return [last]
    return [("pixel", 0)] if what == "open" else [("unsubscribe", copy.links + 1)]


def run(script: str, least: int, most: int, r: random.Random) -> Scene:
    copy = Copy(links=r.randint(least, most), decoy=r.random() < 0.7)
    where: dict[str, str] = {}
    clients: dict[str, Headers] = {}
    now, last = 0.0, ("link", r.randint(1, copy.links))
    for text in script.split(";"):
        found = STEP.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"not a step: {text}")
        rest, time = found["rest"], found["time"]
        at = r.uniform(*span(time.lstrip("+"))) + (now if time.startswith("+") else 0.0)
        if r.random() > float(option(rest, "chance") or 1):
            continue
        place = where.setdefault(found["net"], address(r, NETS[found["net"]]))
        headers = clients.setdefault(found["who"] + found["client"], CLIENTS[found["client"]](r))
        pace = span(option(rest, "step") or "0s")
        jobs = targets(found["what"], copy, last, r)
        if copy.decoy and found["what"] != "open" and r.random() < float(option(rest, "hidden") or 0):
            jobs.append(("decoy", 0))
        for role, link in jobs:
            copy.hit(
                Event(
                    at,
                    "human" if found["who"] == "p" else "machine",
                    "open" if role == "pixel" else "click",
                    headers,
                    place,
                    role,
                    link,
                    "HEAD" if "head" in rest else "GET",
                    "altered" in rest,
                )
            )
            now = at
            last = (role, link) if role == "link" else last
            at += r.uniform(*pace)
    return [copy]


def read(name: str = "heldout_2.md") -> dict[str, Callable[[random.Random], Scene]]:
    found: dict[str, Callable[[random.Random], Scene]] = {}
    for line in (pathlib.Path(__file__).parent / name).read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and ("-" in cells[1] and cells[1][0].isdigit()):
            least, most = map(int, cells[1].split("-"))
            found[cells[0]] = lambda r, script=cells[2], a=least, b=most: run(script, a, b, r)  # type: ignore[misc]
    return found


FAMILIES = read()
