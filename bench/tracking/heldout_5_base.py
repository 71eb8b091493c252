"""What the fifth held-out set is made with: its people, its machines, and how they ask."""

import math
import random
from collections.abc import Callable, Iterable

from world import (
    FILTERS,
    GMAIL,
    GOOGLE,
    MPP,
    NOW_CHROME,
    NOW_FIREFOX,
    OUTLOOK,
    PREFETCH,
    RELAYS,
    THUNDERBIRD,
    YAHOO,
    Copy,
    Event,
    Scene,
    address,
    chrome,
    firefox,
    near,
    plain,
    safari,
    windows,
)

Headers = list[tuple[str, str]]
Who = Callable[[bool], Headers]  # True: as it asks for an image
Where = Callable[[], str]
Make = Callable[[random.Random], Scene]
R = random.Random

FAMILIES: dict[str, Make] = {}
VPNS = ("146.70.{1}.{2}", "185.156.46.{2}", "193.138.218.{2}", "37.19.{1}.{2}", "89.187.{1}.{2}", "45.83.220.{2}")
CARRIERS = ("172.58.{1}.{2}", "166.205.{1}.{2}", "107.77.{1}.{2}", "174.240.{1}.{2}")
VPS = ("95.216.{1}.{2}", "167.99.{1}.{2}", "45.79.{1}.{2}", "51.38.{1}.{2}", "5.9.{1}.{2}", "159.89.{1}.{2}")
EGRESS = (*FILTERS, "134.238.{1}.{2}", "137.83.{1}.{2}", "155.190.{1}.{2}", "8.39.{1}.{2}")
LANGS = ("en-US,en;q=0.9", "en-US,en;q=0.9", "en-US,en;q=0.9,es;q=0.8", "es-US,es;q=0.9,en;q=0.8", "en-GB,en;q=0.9")
LIBRARIES = (
    "python-requests/2.32.3",
    "Go-http-client/1.1",
    "Java/17.0.11",
    "okhttp/4.12.0",
    "curl/8.5.0",
    "axios/1.7.9",
)
LIBRARIES += (
    "node",
    "Python/3.12 aiohttp/3.10.5",
    "Apache-HttpClient/4.5.14 (Java/11.0.22)",
    "python-httpx/0.27.2",
    "",
)
MSIE = (
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)",
    "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
)
MSIE += (
    "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)",
    windows("57.0.2987.133"),
    windows("74.0.3729.169"),
)
IMESSAGE = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1"
IMESSAGE += " Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
HTML = "text/html,application/xhtml+xml,*/*;q=0.8"


def ln(r: R, median: float, sigma: float, low: float = 0.0) -> float:
    return max(low, median * math.exp(r.gauss(0, sigma)))


def family(make: Make) -> Make:
    FAMILIES[make.__name__.replace("_", "-")] = make
    return make


def mail(r: R, one: float = 0.35, most: int = 10, **more: object) -> Copy:
    links = 1 if r.random() < one else min(most, 2 + int(r.expovariate(0.45)))
    return Copy(links, decoy=r.random() < 0.7, **more)  # type: ignore[arg-type]


def bot(at: float, head: Headers, where: str, link: int = 1, method: str = "GET", altered: bool = False) -> Event:
    return Event(at, "machine", "click", head, where, link=link, method=method, altered=altered)


def look(at: float, head: Headers, where: str, truth: str = "human", note: str = "") -> Event:
    return Event(at, truth, "open", head, where, note=note)


def swap(head: Headers, **values: str) -> Headers:
    wanted = {name.replace("_", "-").lower(): value for name, value in values.items()}
    return [(n, wanted.get(n.lower(), v)) for n, v in head if wanted.get(n.lower(), v)]


# -- people and how they read --------------------------------------------------


def lag(r: R) -> int:
    return r.choice((0, 0, 0, 0, 1, 1, 1, 2, 3, 6, 10))


def desk(r: R) -> Who:
    major, lang, kind = NOW_CHROME - lag(r), r.choice(LANGS), r.random()
    site = r.choice(("cross-site", "cross-site", "none"))
    if kind < 0.72:
        system = r.choices(("windows", "mac", "chromeos", "linux"), (70, 20, 6, 4))[0]
        edge = system == "windows" and r.random() < 0.4
        return lambda image: chrome(
            system, major, edge=edge, site="cross-site" if image else site, lang=lang, image=image
        )
    if kind < 0.86:
        system, major = (
            r.choice(("windows", "windows", "mac", "linux")),
            r.choice((NOW_FIREFOX, NOW_FIREFOX - 1, 153, 140)),
        )
        return lambda image: firefox(system, major, site="cross-site" if image else site, image=image)
    version = r.choice((26, 26, 18, 17, 15))
    return lambda image: safari("mac", version, site="cross-site" if image else site, image=image)


def phone(r: R) -> Who:
    major, lang, kind = NOW_CHROME - lag(r), r.choice(LANGS), r.random()
    if kind < 0.58:
        version, device = r.choice((26, 26, 26, 18, 18, 17, 16)), r.choice(("iphone",) * 6 + ("ipad",))
        if r.random() < 0.8:
            return lambda image: safari(device, version, image=image)
        own = f"Mozilla/5.0 (iPhone; CPU iPhone OS {version}_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        own += r.choice(
            (f" CriOS/{major}.0.0.0 Mobile/15E148 Safari/604.1", " Mobile/15E148", " GSA/389.0 Mobile/15E148")
        )
        return lambda image: swap(safari(device, version, image=image), user_agent=own)
    head = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
    if kind < 0.82:
        return lambda image: chrome("android", major, mobile=True, lang=lang, image=image)
    if kind < 0.92:
        own = f"{head} SamsungBrowser/29.0 Chrome/{major - 14}.0.0.0 Mobile Safari/537.36"
        return lambda image: swap(chrome("android", major - 14, mobile=True, lang=lang, image=image), user_agent=own)
    own = (
        f"{head.replace('10; K', '15; SM-S921U Build/AP3A; wv')} Version/4.0 Chrome/{major}.0.0.0 Mobile Safari/537.36"
    )
    app = r.choice(("com.microsoft.office.outlook", "com.yahoo.mobile.client.android.mail", "com.google.android.gm"))
    return lambda image: [
        *swap(chrome("android", major, mobile=True, lang=lang, image=image, user=False), user_agent=own),
        ("X-Requested-With", app),
    ]


def who(r: R, mobile: float = 0.5) -> Who:
    return phone(r) if r.random() < mobile else desk(r)


def opened(r: R, c: Copy, at: float, one: Who, where: str) -> None:
    """What the pixel shows of a person who reads at `at`: proxies as often as the mail program itself."""
    kind, image = r.random(), "image/webp,image/*,*/*;q=0.8"
    if kind < 0.32:
        c.hit(look(at, plain(GMAIL, accept=image), address(r, GOOGLE), note="gmail-proxy"))
        if r.random() < 0.05:
            c.hit(look(ln(r, 1.5, 0.6), plain(PREFETCH, accept=image), address(r, GOOGLE), "machine", "prefetch"))
    elif kind < 0.56:
        c.hit(look(ln(r, 90, 2.0), plain(MPP, coding="gzip, deflate"), address(r, RELAYS), "machine", "mpp"))
    elif kind < 0.61:
        c.hit(look(at, plain(YAHOO, accept=image), address(r, ("98.137.{1}.{2}", "66.163.{1}.{2}"))))
    elif kind < 0.88:
        c.hit(look(at, r.choice((one(True), one(True), plain(OUTLOOK), plain(THUNDERBIRD, accept=image))), where))


def visit(
    r: R, c: Copy, at: float, one: Who, where: Where, links: Iterable[int] = (), gap: float = 0.0, spread: float = 0.8
) -> float:
    """Presses on links in turn; by default on the one or two that tempt, those above more than those below."""
    if not (chosen := list(links)):
        wanted = min(c.links, r.choices((1, 2, 3, 4), (72, 18, 7, 3))[0])
        while len(chosen) < wanted:
            if (link := min(r.randint(1, c.links), r.randint(1, c.links))) not in chosen:
                chosen.append(link)
    gap = gap or ln(r, 22, 0.6, 3)
    for link in chosen:
        c.hit(Event(at, "human", "click", one(False), where(), link=link))
        at += ln(r, gap, spread, 0.25)
        if r.random() < 0.05:  # back, and once more
            c.hit(Event(at, "human", "click", one(False), where(), link=link))
            at += ln(r, gap, spread, 1)
    return at


def sits(r: R, nets: Iterable[str]) -> Where:
    """One address for the whole reading; now and then the network gives another beside it."""
    base, moves = address(r, tuple(nets)), r.random() < 0.12
    return lambda: near(r, base) if moves and r.random() < 0.5 else base


def reads(r: R, c: Copy, at: float, one: Who, where: Where) -> float:
    opened(r, c, at, one, where())
    return visit(r, c, at + ln(r, 14, 0.9, 1.5), one, where)


# -- how machines ask ------------------------------------------------------------------


def sandbox(r: R) -> Callable[[], Headers]:
    """A driven Chromium: says so, hides it badly, or hides it well."""
    major, kind = max(52, NOW_CHROME - int(ln(r, 9, 0.9))), r.random()
    lang, user = r.choice(("en-US,en;q=0.9", "en-US,en;q=0.9", "en-US", "")), r.random() < 0.7
    head = chrome("linux", major, user=user, lang=lang)
    if kind < 0.2:
        name = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/{major}.0.0.0"
        told = f'"Chromium";v="{major}", "HeadlessChrome";v="{major}"'
        return lambda: swap(head, user_agent=name + " Safari/537.36", sec_ch_ua=told)
    if kind < 0.4:  # another name over its own brand or platform
        told = f'"Chromium";v="{major}", "{r.choice(("HeadlessChrome", "Google Chrome"))}";v="{major}"'
        return lambda: swap(head, user_agent=windows(f"{major}.0.0.0"), sec_ch_ua=told)
    if kind < 0.55:
        return lambda: chrome(r.choice(("windows", "mac")), NOW_CHROME - r.randint(0, 60), user=user, lang=lang)
    system, edge = r.choice(("windows", "windows", "mac", "linux")), r.random() < 0.2
    return lambda: chrome(system, major, user=user, lang=lang, edge=edge)


def sweep(
    r: R, c: Copy, at: float, head: Callable[[], Headers], where: Where, gap: float, *, decoy: float, part: float = 1.0,
    method: str = "GET",
) -> float:  # fmt: skip
    order = [n for n in range(1, c.links + 1) if r.random() < part] or [r.randint(1, c.links)]
    if r.random() < 0.4:
        r.shuffle(order)
    if c.decoy and r.random() < decoy:
        order.insert(r.randint(0, len(order)), 0)
    for link in order:
        event = bot(at, head(), where(), link or 1, method)
        if not link:
            event.role = "decoy"
        c.hit(event)
        at += ln(r, gap, 0.9)
    return at


def pool(r: R, nets: Iterable[str]) -> Where:
    """A farm: one way out, a few side by side, or another for each request."""
    nets, kind = tuple(nets), r.random()
    base = address(r, nets)
    if kind < 0.4:
        return lambda: base
    return (lambda: near(r, base)) if kind < 0.7 else (lambda: address(r, nets))
