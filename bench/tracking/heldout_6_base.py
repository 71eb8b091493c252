"""Messages, places, devices, readers and engines of the sixth held-out set."""

import math
import random
from collections.abc import Callable, Sequence

from world import (
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

R = random.Random
Headers = list[tuple[str, str]]
Ask = Callable[[bool], Headers]  # True: for an image
From = Callable[[], str]
FAMILIES: dict[str, Callable[[R], Scene]] = {}

MAST = ("172.58.{1}.{2}", "172.59.{1}.{2}", "174.212.{1}.{2}", "107.77.{1}.{2}", "166.137.{1}.{2}", "174.196.{1}.{2}")
ABROAD = ("81.{}.{}.{}", "79.{}.{}.{}", "187.{}.{}.{}", "189.{}.{}.{}", "49.{}.{}.{}", "85.{}.{}.{}")
TUNNELS = ("146.70.{1}.{2}", "198.54.131.{2}", "185.65.135.{2}", "37.19.{1}.{2}", "89.187.{1}.{2}", "193.32.127.{2}")
ORBIT = ("98.97.{1}.{2}", "129.222.{1}.{2}", "206.83.{1}.{2}")
CAMPUS = ("128.{}.{}.{}", "152.{}.{}.{}", "129.{}.{}.{}")
ROOMS = ("67.231.{1}.{2}", "148.163.{1}.{2}", "207.211.30.{2}", "209.222.82.{2}", "64.235.153.{2}", "68.232.140.{2}",
         "216.71.142.{2}", "208.87.234.{2}", "205.139.111.{2}")  # fmt: skip
RENTED = ("167.99.{1}.{2}", "159.203.{1}.{2}", "45.33.{1}.{2}", "95.217.{1}.{2}", "135.181.{1}.{2}", "51.75.{1}.{2}",
          "149.28.{1}.{2}")  # fmt: skip
AMAZON = ("3.{}.{}.{}", "18.{}.{}.{}", "54.{}.{}.{}", "52.{}.{}.{}")
TONGUES = ("en-US,en;q=0.9",) * 5 + ("en-US,en;q=0.9,es-419;q=0.8", "es-US,es;q=0.9,en-US;q=0.8", "en-CA,en;q=0.9")
SCRIPTS = (
    "python-requests/2.32.3", "Go-http-client/2.0", "curl/8.9.1", "Java/21.0.2", "okhttp/4.12.0", "node-fetch/1.0",
    "Apache-HttpClient/5.3 (Java/17.0.10)", "Python-urllib/3.11", "libwww-perl/6.72", "Wget/1.21.4", "",
)  # fmt: skip
DATED = (
    windows("57.0.2987.133"), windows("79.0.3945.88"), windows("83.0.4103.116"),
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; rv:52.0) Gecko/20100101 Firefox/52.0",
)  # fmt: skip
PICTURE = "image/avif,image/webp,image/*,*/*;q=0.8"
PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def family(make: Callable[[R], Scene]) -> Callable[[R], Scene]:
    FAMILIES[make.__name__.replace("_", "-")] = make
    return make


def about(r: R, middle: float, spread: float = 0.8, least: float = 0.0, most: float = 1e9) -> float:
    return min(most, max(least, middle * math.exp(r.gauss(0, spread))))


# -- messages ------------------------------------------------------------------


def reminder(r: R, **more: object) -> Copy:
    """One thing to do, perhaps with directions and a way to cancel."""
    return Copy(r.choices((1, 2, 3), (50, 25, 25))[0], decoy=r.random() < 0.7, **more)  # type: ignore[arg-type]


def letter(r: R, **more: object) -> Copy:
    return Copy(r.randint(2, 5), decoy=r.random() < 0.7, **more)  # type: ignore[arg-type]


def newsletter(r: R, **more: object) -> Copy:
    return Copy(r.randint(5, 14), decoy=r.random() < 0.7, **more)  # type: ignore[arg-type]


def post(r: R, **more: object) -> Copy:
    return r.choices((reminder, letter, newsletter), (45, 30, 25))[0](r, **more)


def picks(r: R, c: Copy, most: int = 4) -> list[int]:
    """What a reader wants of it: the first button above all."""
    weights = [1 / (n + 0.4) for n in range(1, c.links + 1)]
    chosen: list[int] = []
    for _ in range(min(most, c.links, r.choices((1, 2, 3, 4), (76, 16, 6, 2))[0])):
        link = r.choices(range(1, c.links + 1), weights)[0]
        if link not in chosen:
            chosen.append(link)
    return sorted(chosen) if r.random() < 0.75 else chosen


# -- where a request comes from -----------------------------------------------------------


def fixed(r: R, *nets: Sequence[str]) -> From:
    one = address(r, r.choice(nets))
    return lambda: one


def beside(r: R, *nets: Sequence[str]) -> From:
    """Carrier-grade NAT and farms: a neighbour at each request."""
    one = address(r, r.choice(nets))
    return lambda: near(r, one)


def anywhere(r: R, *nets: Sequence[str]) -> From:
    return lambda: address(r, r.choice(nets))


def egress(r: R, *nets: Sequence[str]) -> From:
    return r.choice((fixed, beside, anywhere))(r, *nets)


# -- devices ----------------------------------------------------------------------------------


def renamed(head: Headers, **values: str) -> Headers:
    new = {k.replace("_", "-").lower(): v for k, v in values.items()}
    return [(k, new.get(k.lower(), v)) for k, v in head if new.get(k.lower(), v)]


def age(r: R) -> int:
    return r.choices((0, 1, 2, 3, 5, 8, 14), (40, 28, 12, 7, 6, 4, 3))[0]


def office_pc(r: R) -> Ask:
    major, lang, edge = NOW_CHROME - age(r), r.choice(TONGUES), r.random() < 0.6
    site, by = r.choice((("none", ""), ("none", ""), ("cross-site", ""), ("cross-site", "https://outlook.office.com/"),
                         ("cross-site", "https://nam11.safelinks.protection.outlook.com/")))  # fmt: skip
    return lambda image: chrome("windows", major, edge=edge, site="cross-site" if image else site, lang=lang,
                                image=image, referer="" if image else by)  # fmt: skip


def home_pc(r: R) -> Ask:
    kind, lang, major = r.random(), r.choice(TONGUES), NOW_CHROME - age(r)
    if kind < 0.55:
        system = r.choices(("windows", "mac", "chromeos", "linux"), (58, 28, 10, 4))[0]
        by = r.choice(("", "https://mail.google.com/", "https://mail.yahoo.com/"))
        return lambda image: chrome(system, major, site="cross-site", lang=lang, image=image, referer=by)
    if kind < 0.75:
        version = r.choices((26, 18, 17, 16), (60, 25, 10, 5))[0]
        site = r.choice(("none", "cross-site"))
        return lambda image: safari("mac", version, site="cross-site" if image else site, image=image)
    if kind < 0.9:
        return lambda image: chrome("windows", major, edge=True, site="none", lang=lang, image=image)
    system, version = r.choice(("windows", "mac", "linux")), r.choice((NOW_FIREFOX, NOW_FIREFOX - 1, 140))
    return lambda image: firefox(system, version, site="cross-site", image=image)


def iphone(r: R) -> Ask:
    version, device = r.choices((26, 18, 17, 16), (62, 24, 9, 5))[0], "ipad" if r.random() < 0.12 else "iphone"
    return lambda image: safari(device, version, image=image)


def droid(r: R) -> Ask:
    major, lang, kind = NOW_CHROME - age(r), r.choice(TONGUES), r.random()
    if kind < 0.6:  # a custom tab out of the mail program
        by, user = r.choice(("", "android-app://com.google.android.gm/")), r.random() < 0.6
        site = "cross-site" if by else "none"
        return lambda image: chrome("android", major, mobile=True, site=site, user=user, lang=lang, image=image,
                                    referer="" if image else by)  # fmt: skip
    if kind < 0.8:
        own = (f"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0"
               f" Chrome/{major - 10}.0.0.0 Mobile Safari/537.36")  # fmt: skip
        return lambda image: renamed(chrome("android", major - 10, mobile=True, lang=lang, image=image), user_agent=own)
    model = r.choice(("SM-A156U", "Pixel 8a", "moto g power (2024)", "SM-S928U"))
    own = (f"Mozilla/5.0 (Linux; Android 15; {model}; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0"
           f" Chrome/{major}.0.0.0 Mobile Safari/537.36")  # fmt: skip
    app = r.choice(("com.microsoft.office.outlook", "com.samsung.android.email.provider", "com.aol.mobile.aolapp"))
    return lambda image: [*renamed(chrome("android", major, mobile=True, user=False, lang=lang, image=image),
                                   user_agent=own), ("X-Requested-With", app)]  # fmt: skip


def phone(r: R) -> Ask:
    return iphone(r) if r.random() < 0.57 else droid(r)


def device(r: R, mobile: float = 0.55) -> Ask:
    return phone(r) if r.random() < mobile else r.choice((home_pc, home_pc, office_pc))(r)


# -- people -------------------------------------------------------------------------------------


def when(r: R) -> float:
    """Seconds until one gets to it: at once, over coffee, in the evening, at the weekend."""
    return r.choices((about(r, 45, 0.9, 4), about(r, 1500, 0.9, 30), about(r, 16000, 0.8, 200), about(r, 130000, 0.7)),
                     (14, 34, 38, 14))[0]  # fmt: skip


def shown(r: R, c: Copy, at: float, ask: Ask, place: From, program: str = "") -> None:
    """The picture at `at`, as the reader's mail program fetches it; Apple's and Google's own fetches are machines'."""
    if not program:
        agent = next(v for k, v in ask(False) if k == "User-Agent")
        weights = (
            (22, 58, 5, 3, 4, 8)
            if "Mac OS X" in agent
            else (58, 0, 8, 0, 20, 14)
            if "Android" in agent
            else (32, 0, 7, 25, 22, 14)
        )
        program = r.choices(("gmail", "apple", "yahoo", "outlook", "browser", "blocked"), weights)[0]
    if program == "gmail":
        c.hit(Event(at, "human", "open", plain(GMAIL, accept=PICTURE), address(r, GOOGLE), note="gmail-proxy"))
        if r.random() < 0.05:
            c.hit(Event(about(r, 1.2, 0.5, 0.3), "machine", "open", plain(PREFETCH, accept=PICTURE), address(r, GOOGLE),
                        note="prefetch"))  # fmt: skip
    elif program == "apple":
        early = min(at, about(r, 240, 1.8, 1)) if r.random() < 0.8 else at
        c.hit(Event(early, "machine", "open", plain(MPP, accept="*/*", coding="gzip, deflate, br"), address(r, RELAYS),
                    note="mpp"))  # fmt: skip
    elif program == "yahoo":
        c.hit(
            Event(at, "human", "open", plain(YAHOO, accept=PICTURE), address(r, ("98.137.{1}.{2}", "67.195.{1}.{2}")))
        )
    elif program == "outlook":
        c.hit(Event(at, "human", "open", plain(OUTLOOK, accept="*/*", coding="gzip, deflate"), place()))
    elif program == "thunderbird":
        c.hit(Event(at, "human", "open", plain(THUNDERBIRD, accept=PICTURE, lang="en-US,en;q=0.5"), place()))
    elif program == "browser":
        c.hit(Event(at, "human", "open", ask(True), place()))


def press(c: Copy, at: float, ask: Ask, place: From, link: int) -> None:
    c.hit(Event(at, "human", "click", ask(False), place(), link=link))


def sit(r: R, c: Copy, at: float, ask: Ask, place: From, links: Sequence[int] = (), *, program: str = "",
        look: float = 12, gap: float = 25) -> float:  # fmt: skip
    """One sitting: shown, read a while, pressed, read there, the next. Returns its end."""
    shown(r, c, at, ask, place, program)
    at += about(r, look, 0.8, 1.0)
    for link in links or picks(r, c):
        press(c, at, ask, place, link)
        if r.random() < 0.04:
            press(c, at + about(r, 2.0, 0.5, 0.4), ask, place, link)
        at += about(r, gap, 0.8, 1.0)
    return at


# -- machines ---------------------------------------------------------------------------------


class Engine:
    """One scanner: how it names itself, where it leaves, what it follows, how fast. Drawn once a scene."""

    def __init__(self, r: R, nets: Sequence[Sequence[str]], *, honest: float = 0.2, dated: float = 0.35) -> None:
        self.r, self.place = r, egress(r, *nets)
        self.bait, self.pictures = r.choice((0.0, 0.5, 0.95)), r.random() < 0.5
        self.pace = r.choice((0.01, 0.06, 0.4, 2.0))
        self.shuffled, self.method = r.random() < 0.3, r.choices(("GET", "HEAD"), (92, 8))[0]
        kind = r.random()
        if kind < honest:
            name = r.choice(SCRIPTS)
            self.ask: Ask = lambda image: plain(name, accept="*/*", coding="gzip, deflate")
        elif kind < honest + dated:
            name = r.choice(DATED)
            self.ask = lambda image: plain(name, accept=PICTURE if image else PAGE, coding="gzip", lang="")
        else:
            self.ask = browser(r)

    def hit(self, c: Copy, at: float, link: int, *, place: From | None = None, ask: Ask | None = None,
            altered: bool = False) -> None:  # fmt: skip
        c.hit(Event(at, "machine", "click", (ask or self.ask)(False), (place or self.place)(), "link" if link else "decoy",
                    link or 1, self.method, altered))  # fmt: skip

    def look(self, c: Copy, at: float) -> None:
        c.hit(Event(at, "machine", "open", self.ask(True), self.place()))

    def plan(self, c: Copy, part: float = 1.0) -> list[int]:
        links = [n for n in range(1, c.links + 1) if self.r.random() < part] or [self.r.randint(1, c.links)]
        if c.decoy and self.r.random() < self.bait * part:
            links.insert(self.r.randint(0, len(links)), 0)
        if self.shuffled:
            self.r.shuffle(links)
        return links

    def sweep(self, c: Copy, at: float, part: float = 1.0, pace: float = 0.0) -> float:
        if self.pictures:
            self.look(c, max(at - about(self.r, 12, 1.0), at * 0.2 if at > 0 else at - 1))
        for link in self.plan(c, part):
            self.hit(c, at, link)
            at += about(self.r, pace or self.pace, 0.8)
        return at


def browser(r: R, systems: Sequence[str] = ("windows", "windows", "linux", "linux", "mac")) -> Ask:
    """A driven Chromium, from one that says it is headless to one that is hard to tell from a desktop."""
    system, kind = r.choice(systems), r.random()
    major = max(64, NOW_CHROME - int(about(r, 7, 1.0)))
    lang = r.choice(("en-US,en;q=0.9", "en-US,en;q=0.9", "en-US", "en-GB", ""))
    user = (
        r.random() < 0.45
    )  # a press made by the driver counts as one; a page opened by address does too, reloads do not
    if kind < 0.15:
        own = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/{major}.0.0.0 Safari/537.36"
        return lambda image: renamed(chrome("linux", major, user=user, lang=lang, image=image), user_agent=own)
    if kind < 0.35:  # a name of Windows over what a Linux build tells in its hints
        own = windows(f"{major}.0.0.0")
        return lambda image: renamed(chrome("linux", major, user=user, lang=lang, image=image), user_agent=own)
    if kind < 0.5:  # a browser's name and nothing else of it
        own = windows(f"{major}.0.0.0")
        return lambda image: plain(own, accept=PICTURE if image else PAGE, coding="gzip, deflate", lang=lang)
    return lambda image: chrome(system, major, user=user, lang=lang, image=image)
