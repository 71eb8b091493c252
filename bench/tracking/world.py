"""What both sets of families are made of: copies, hits with their true maker, and the headers real clients send.

Chromium's headers are as captured from Debian's Chromium 156 on loopback over TLS (click in a page, with Control,
direct, image, scripted), curl's, wget's, urllib's and node's too; Firefox's and Safari's are from documentation."""

import dataclasses
import random
from collections.abc import Sequence

#: the day of all scenes, in days since 1970: 2026-11-22
DAY = 20_779
NOW_CHROME, NOW_FIREFOX = 156, 158
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
FIREFOX_HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
IMAGE = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
SYSTEMS = {
    "windows": "Windows NT 10.0; Win64; x64",
    "mac": "Macintosh; Intel Mac OS X 10_15_7",
    "linux": "X11; Linux x86_64",
    "chromeos": "X11; CrOS x86_64 14541.0.0",
    "android": "Linux; Android 10; K",
    "windows7": "Windows NT 6.1; Win64; x64",
}
HINTED = {
    "windows": "Windows",
    "mac": "macOS",
    "linux": "Linux",
    "chromeos": "Chrome OS",
    "android": "Android",
    "windows7": "Windows",
}
#: prefixes of access networks (in no table of data centres): cable, DSL, mobile, offices
HOMES = (
    "73.{}.{}.{}",
    "24.{}.{}.{}",
    "71.{}.{}.{}",
    "98.{}.{}.{}",
    "86.{}.{}.{}",
    "172.56.{1}.{2}",
    "107.77.{1}.{2}",
    "92.{}.{}.{}",
)
OFFICES = ("12.{}.{}.{}", "50.{}.{}.{}", "64.{}.{}.{}", "70.{}.{}.{}", "96.{}.{}.{}", "38.{}.{}.{}")
AZURE = ("40.94.{1}.{2}", "52.{}.{}.{}", "20.{}.{}.{}", "104.47.{1}.{2}", "40.107.{1}.{2}", "13.{}.{}.{}")
CLOUDS = (
    "3.{}.{}.{}",
    "18.{}.{}.{}",
    "54.{}.{}.{}",
    "34.{}.{}.{}",
    "35.{}.{}.{}",
    "167.99.{1}.{2}",
    "51.38.{1}.{2}",
    "5.9.{1}.{2}",
)
VENDORS = ("67.231.152.{2}", "205.139.110.{2}", "64.235.144.{2}", "148.163.130.{2}", "207.211.31.{2}", "185.58.84.{2}")
FILTERS = ("165.225.{1}.{2}", "136.226.{1}.{2}", "163.116.{1}.{2}")
RELAYS = ("172.224.226.{2}", "172.225.{1}.{2}", "104.28.30.{2}")
GOOGLE = ("66.249.84.{2}", "64.233.172.{2}", "74.125.{1}.{2}")


@dataclasses.dataclass
class Event:
    at: float  # seconds after delivery
    truth: str  # human, machine
    kind: str
    headers: Sequence[tuple[str, str]]
    address: str
    role: str = "link"
    link: int = 1
    method: str = "GET"
    altered: bool = False
    family: str = ""
    note: str = ""


@dataclasses.dataclass
class Copy:
    links: int
    events: list[Event] = dataclasses.field(default_factory=list)
    decoy: bool = True
    domain: str = ""
    message: str = ""
    delivered: float = 0.0  # seconds, absolute within a scene
    later: list[tuple[str, float, str, str]] = dataclasses.field(default_factory=list)  # what, at, address, agent

    def hit(self, *events: Event) -> "Copy":
        self.events.extend(events)
        return self


Scene = list[Copy]


def address(rng: random.Random, nets: Sequence[str]) -> str:
    numbers = [rng.randrange(1, 250) for _ in range(3)]
    return rng.choice(nets).format(*numbers)


def near(rng: random.Random, base: str) -> str:
    return base.rsplit(".", 1)[0] + f".{rng.randrange(1, 250)}"


def windows(version: str | int) -> str:
    """The name of a Chrome on Windows."""
    system = SYSTEMS["windows"]
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version} Safari/537.36"


# -- clients -----------------------------------------------------------------


def chrome(
    system: str = "windows",
    major: int = NOW_CHROME,
    *,
    edge: bool = False,
    mobile: bool = False,
    site: str = "none",
    user: bool = True,
    lang: str = "en-US,en;q=0.9",
    image: bool = False,
    referer: str = "",
) -> list[tuple[str, str]]:
    """Over TLS; versions before 76 without Sec-Fetch, before 89 without hints."""
    agent = f"Mozilla/5.0 ({SYSTEMS[system]}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0"
    agent += (" Mobile" if mobile else "") + " Safari/537.36" + (f" Edg/{major}.0.0.0" if edge else "")
    head = [("Host", "t.clinic.test"), ("Connection", "keep-alive")]
    if major >= 89:
        brand = "Microsoft Edge" if edge else "Google Chrome"
        head += [
            ("sec-ch-ua", f'"Not:A-Brand";v="8", "Chromium";v="{major}", "{brand}";v="{major}"'),
            ("sec-ch-ua-mobile", "?1" if mobile else "?0"),
            ("sec-ch-ua-platform", f'"{HINTED[system]}"'),
        ]
    if not image:
        head.append(("Upgrade-Insecure-Requests", "1"))
    head += [("User-Agent", agent), ("Accept", IMAGE if image else HTML)]
    if major >= 76:
        head.append(("Sec-Fetch-Site", site))
        head.append(("Sec-Fetch-Mode", "no-cors" if image else "navigate"))
        if user and not image:
            head.append(("Sec-Fetch-User", "?1"))
        head.append(("Sec-Fetch-Dest", "image" if image else "document"))
    if referer:
        head.append(("Referer", referer))
    head.append(("Accept-Encoding", "gzip, deflate, br, zstd" if major > 122 else "gzip, deflate, br"))
    if lang:
        head.append(("Accept-Language", lang))
    return head


def firefox(
    system: str = "windows", major: int = NOW_FIREFOX, *, site: str = "none", image: bool = False
) -> list[tuple[str, str]]:
    agent = f"Mozilla/5.0 ({SYSTEMS[system].replace('; K', '; Mobile')}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0"
    head = [
        ("Host", "t.clinic.test"),
        ("User-Agent", agent),
        ("Accept", IMAGE if image else FIREFOX_HTML),
        ("Accept-Language", "en-US,en;q=0.5"),
        ("Accept-Encoding", "gzip, deflate, br"),
    ]
    if not image:
        head.append(("Upgrade-Insecure-Requests", "1"))
    if major >= 90:
        head += [
            ("Sec-Fetch-Dest", "image" if image else "document"),
            ("Sec-Fetch-Mode", "no-cors" if image else "navigate"),
            ("Sec-Fetch-Site", site),
        ]
        if not image:
            head.append(("Sec-Fetch-User", "?1"))
    return head


def safari(
    device: str = "iphone", version: int = 26, *, site: str = "none", image: bool = False
) -> list[tuple[str, str]]:
    system = {
        "iphone": f"iPhone; CPU iPhone OS {version}_1 like Mac OS X",
        "ipad": f"iPad; CPU OS {version}_1 like Mac OS X",
        "mac": "Macintosh; Intel Mac OS X 10_15_7",
    }[device]
    mobile = "" if device == "mac" else " Mobile/15E148"
    agent = (
        f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version}.1{mobile} Safari/605.1.15"
    )
    head = [
        ("Host", "t.clinic.test"),
        ("User-Agent", agent),
        ("Accept", "image/webp,image/avif,*/*;q=0.8" if image else FIREFOX_HTML),
        ("Accept-Language", "en-US,en;q=0.9"),
        ("Accept-Encoding", "gzip, deflate, br" if version > 10 else "gzip, deflate"),
    ]
    if version >= 17:
        head += [
            ("Sec-Fetch-Dest", "image" if image else "document"),
            ("Sec-Fetch-Mode", "no-cors" if image else "navigate"),
            ("Sec-Fetch-Site", site),
        ]
    return head


def plain(
    agent: str, *, accept: str = "*/*", lang: str = "", coding: str = "", more: Sequence[tuple[str, str]] = ()
) -> list[tuple[str, str]]:
    """A library, a gateway or a mail program: what it says and little else."""
    head = [("Host", "t.clinic.test")]
    if agent:
        head.append(("User-Agent", agent))
    if accept:
        head.append(("Accept", accept))
    if coding:
        head.append(("Accept-Encoding", coding))
    if lang:
        head.append(("Accept-Language", lang))
    return [*head, *more]


MPP = "Mozilla/5.0"
PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
OUTLOOK = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; ms-office; MSOffice 16)"
APPLE_MAIL = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
THUNDERBIRD = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0"


def agent_of(headers: Sequence[tuple[str, str]]) -> str:
    return next((value for name, value in headers if name.lower() == "user-agent"), "")
