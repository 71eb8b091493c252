"""Families the rules were not made with: no pattern is drawn; machinery and people act, and hits come out of it.

A gateway has a reader of messages, workers that wait and work, a way to fetch, ways out to the network, second looks.
A person has a place, devices, a mail program, a network that delays, a manner of reading. Written and frozen (FROZEN)
before the first rule was scored on anything; afterwards only totals were looked at, never a single miss."""

import dataclasses
import heapq
import random
from collections.abc import Callable

from world import NOW_CHROME, PREFETCH, Copy, Event, Scene, chrome, firefox, plain, safari, windows

FAMILIES: dict[str, Callable[[random.Random], Scene]] = {}
Headers = list[tuple[str, str]]

CABLE = ("76.{}.{}.{}", "68.{}.{}.{}", "81.{}.{}.{}", "176.{}.{}.{}", "174.192.{1}.{2}")
BUSINESS = ("65.{}.{}.{}", "66.{}.{}.{}", "74.{}.{}.{}", "207.{}.{}.{}")
DATACENTRES = (
    "44.{}.{}.{}",
    "146.190.{1}.{2}",
    "159.89.{1}.{2}",
    "95.216.{1}.{2}",
    "135.181.{1}.{2}",
    "40.{}.{}.{}",
    "34.{}.{}.{}",
)
MAKERS = ("185.58.84.{2}", "148.163.148.{2}", "209.222.82.{2}", "103.13.69.{2}", "68.232.130.{2}", "216.71.136.{2}")
RELAY = ("172.226.{1}.{2}", "104.28.{1}.{2}")
CARRIER = ("166.205.{1}.{2}", "172.58.{1}.{2}", "208.54.{1}.{2}")


def family(function: Callable[[random.Random], Scene]) -> Callable[[random.Random], Scene]:
    FAMILIES[function.__name__.replace("_", "-")] = function
    return function


def pool(r: random.Random, nets: tuple[str, ...], size: int, *, together: bool = True) -> list[str]:
    """Addresses a machine leaves from: in one network or in many."""
    base = r.choice(nets)
    numbers = [r.randrange(1, 250) for _ in range(3)]
    found = []
    for _ in range(size):
        if not together:
            base, numbers = r.choice(nets), [r.randrange(1, 250) for _ in range(3)]
        found.append(base.format(numbers[0], numbers[1], r.randrange(1, 250)))
    return found


# -- ways to fetch -----------------------------------------------------------


def stack(r: random.Random, kind: str) -> Callable[[], Headers]:
    """What a fetcher sends; chosen once, as programs are."""
    if kind == "copied":  # a list of headers taken from a browser once upon a time, sent by a library
        major = NOW_CHROME - r.randrange(6, 60)
        agent = windows(f"{major}.0.0.0")
        accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
        return lambda: plain(
            agent,
            accept=accept,
            lang=r.choice(("en-US,en;q=0.5",)),
            coding="gzip, deflate",
            more=[("Upgrade-Insecure-Requests", "1")],
        )
    if kind == "impersonating":  # a library that sends exactly what a Chrome of some version sent
        major = NOW_CHROME - r.choice((20, 33, 40))
        return lambda: chrome("mac", major)
    if kind == "driven":  # a real Chrome under remote control
        system, major = r.choice(("linux", "windows")), NOW_CHROME - r.choice((0, 1, 3))
        return lambda: chrome(system, major, lang="en-US,en;q=0.9")
    if kind == "driven-firefox":
        major = r.choice((140, 152, 157))
        return lambda: firefox("linux", major)
    if kind == "webkit":
        return lambda: safari("mac", r.choice((18, 26)))
    if kind == "embedded":  # an old Chromium inside an appliance, its name changed to a newer Windows
        major = r.choice((79, 88, 103))
        return lambda: chrome("windows", major, site="none", user=False)
    if kind == "java":
        agent = r.choice(
            (
                "Mozilla/5.0 (Windows NT 10.0; WOW64; rv:45.0) Gecko/20100101 Firefox/45.0",
                "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
            )
        )
        return lambda: plain(agent, accept="text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2")
    if kind == "go":
        return lambda: plain("Go-http-client/1.1", accept="", coding="gzip")
    agents = [windows(f"{NOW_CHROME - n}.0.0.0") for n in range(0, 40, 5)]
    return lambda: plain(r.choice(agents), accept="*/*", coding="gzip, deflate, br")


@dataclasses.dataclass
class Gateway:
    """Machinery that reads a message and follows what is in it."""

    reader: str  # html, visible, text, capped
    workers: int
    fetch: Callable[[], Headers]
    ways_out: list[str]
    service: Callable[[], float]
    idle: Callable[[], float]  # before work on a message begins
    tries: float = 0.0  # part of the fetches asked by HEAD first
    pictures: float = 0.5
    cap: int = 2

    def targets(self, copy: Copy, r: random.Random) -> list[tuple[str, int]]:
        shown = [("link", n) for n in range(1, copy.links + 1)]
        if self.reader == "html" and copy.decoy:
            shown.insert(r.randrange(len(shown) + 1), ("decoy", 0))
        if self.reader == "capped":  # so many for one host
            return shown[: self.cap]
        return shown

    def work(self, copy: Copy, r: random.Random, *, after: float = 0.0) -> float:
        """Puts its hits on the copy; the time it was done."""
        begin = after + self.idle()
        jobs = self.targets(copy, r)
        if r.random() < self.pictures:
            jobs.insert(0, ("pixel", 0))
        free = [begin] * self.workers
        heapq.heapify(free)
        last = begin
        for role, link in jobs:
            at = heapq.heappop(free) + r.uniform(0.001, 0.02)
            way, kind = r.choice(self.ways_out), "open" if role == "pixel" else "click"
            if r.random() < self.tries:
                copy.hit(Event(at, "machine", kind, self.fetch(), way, role, link, "HEAD"))
                at += self.service()
            copy.hit(Event(at, "machine", kind, self.fetch(), way, role, link))
            last = max(last, at)
            heapq.heappush(free, at + self.service())
        return last


def quick_service(r: random.Random) -> Callable[[], float]:
    return lambda: r.lognormvariate(-1.6, 0.6)  # around 0.2 s


def slow_service(r: random.Random) -> Callable[[], float]:
    return lambda: r.lognormvariate(1.2, 0.5)  # around 3 s


def queue(r: random.Random, mean: float) -> Callable[[], float]:
    return lambda: 2 + r.expovariate(1 / mean)


# -- people ------------------------------------------------------------------


@dataclasses.dataclass
class Person:
    """Somebody with a device and a manner."""

    click: Headers
    way: Callable[[], str]
    manner: str = "picks"  # picks, all, tabs, once, insists
    delay: tuple[float, float] = (0.02, 0.3)  # of the network, seconds each way
    pace: float = 12.0
    open_with: Headers | None = None

    def read(self, copy: Copy, r: random.Random, *, start: float) -> float:
        def arrives(at: float) -> float:
            return at + r.uniform(*self.delay)

        if self.open_with is not None:
            copy.hit(Event(arrives(start), "human", "open", self.open_with, self.way(), role="pixel", link=0))
        now = start + r.gammavariate(3, self.pace / 6)
        order = list(range(1, copy.links + 1))
        wanted = {
            "all": order,
            "tabs": order[: r.randrange(2, 6)],
            "once": [r.choice(order)],
            "insists": [r.choice(order)] * r.randrange(2, 4),
        }.get(self.manner) or [n for n in order if r.random() < 0.4]
        for link in wanted or [1]:
            copy.hit(Event(arrives(now), "human", "click", self.click, self.way(), link=link))
            if self.manner == "tabs":
                now += r.gammavariate(4, 0.17)  # moves the pointer to the next and presses
            elif self.manner == "insists":
                now += r.choice((0.12, 0.3, 1.5, 6.0)) * r.uniform(0.7, 1.4)
            else:
                now += r.gammavariate(2, self.pace / 2) + 0.9
        return now


def fixed(address: str) -> Callable[[], str]:
    return lambda: address


def some_browser(r: random.Random, site: str = "none") -> Headers:
    return r.choice(
        (
            chrome("windows", NOW_CHROME - r.randrange(3), edge=True, site=site),
            chrome("mac", NOW_CHROME - r.randrange(2), site=site),
            chrome("chromeos", NOW_CHROME - 2, site=site),
            firefox("mac", 158, site=site),
            safari("mac", 26, site=site),
            safari("iphone", 26),
            safari("ipad", 18),
            chrome("android", NOW_CHROME - r.randrange(4), mobile=True),
            firefox("android", 157),
        )
    )


def inbox(r: random.Random) -> float:
    """When somebody who looks at mail a few times a day comes upon it."""
    return r.choice((r.expovariate(1 / 600), r.uniform(300, 30_000), r.uniform(8, 120) + r.expovariate(1 / 20)))


def mail(r: random.Random, most: int = 8, least: int = 1) -> Copy:
    return Copy(links=r.randrange(least, most + 1), decoy=r.random() < 0.7)


# -- machines of all kinds ---------------------------------------------------


@family
def g_appliance_behind_the_staffs_address(r: random.Random) -> Scene:
    """A hospital's own gateway: it leaves by the address its staff browse from, and they read the same mail."""
    out = pool(r, BUSINESS, 1)
    gate = Gateway(
        "html" if r.random() < 0.5 else "text",
        8,
        stack(r, r.choice(("copied", "embedded", "listed"))),
        out,
        quick_service(r),
        queue(r, 30),
    )
    scene = []
    for n in range(r.randrange(2, 6)):
        copy = mail(r)
        copy.domain, copy.message, copy.delivered = "ward.test", "bulletin", n * 0.4
        done = gate.work(copy, r)
        if r.random() < 0.7:
            Person(chrome("windows", NOW_CHROME - 1, edge=True), fixed(out[0])).read(copy, r, start=done + inbox(r))
        scene.append(copy)
    return scene


@family
def g_two_stages(r: random.Random) -> Scene:
    """A plain fetch decides which messages a real browser elsewhere looks at again, minutes later."""
    first = Gateway(
        "html",
        16,
        stack(r, r.choice(("go", "copied"))),
        pool(r, DATACENTRES, 6),
        quick_service(r),
        queue(r, 20),
        tries=0.3,
    )
    second = Gateway(
        "visible",
        2,
        stack(r, r.choice(("driven", "driven-firefox"))),
        pool(r, DATACENTRES + CABLE, 3, together=False),
        slow_service(r),
        queue(r, 200),
    )
    copy = mail(r)
    done = first.work(copy, r)
    if r.random() < 0.6:
        second.work(copy, r, after=done)
    return [copy]


@family
def g_two_for_a_host(r: random.Random) -> Scene:
    """Follows only the first one or two links of a host: all ours are of one host."""
    gate = Gateway(
        "capped",
        4,
        stack(r, r.choice(("impersonating", "listed", "copied"))),
        pool(r, DATACENTRES, 4),
        quick_service(r),
        queue(r, 40),
        cap=r.choice((1, 2)),
    )
    scene = []
    for n in range(r.randrange(2, 7)):
        copy = mail(r, least=2)
        copy.domain, copy.message, copy.delivered = "capped.test", "letter", n * r.uniform(0.1, 3)
        gate.work(copy, r)
        scene.append(copy)
    return scene


@family
def g_through_homes(r: random.Random) -> Scene:
    """A real browser that leaves through homes, each window through another, links in any order within a minute."""
    gate = Gateway(
        "visible",
        3,
        stack(r, r.choice(("driven", "driven-firefox", "webkit"))),
        pool(r, CABLE, 8, together=False),
        slow_service(r),
        queue(r, 400),
        pictures=0.9,
    )
    copy = mail(r, least=2)
    gate.work(copy, r)
    return [copy]


@family
def g_archive_at_night(r: random.Random) -> Scene:
    """Keeps a picture of every page a message leads to: hours later, one at a time, with rests."""
    gate = Gateway(
        r.choice(("html", "text")),
        1,
        stack(r, r.choice(("java", "copied", "driven"))),
        pool(r, DATACENTRES + BUSINESS, 2),
        slow_service(r),
        lambda: r.uniform(7_000, 60_000),
        pictures=0.2,
    )
    copy = mail(r)
    if r.random() < 0.5:
        Person(some_browser(r), fixed(pool(r, CABLE, 1)[0])).read(copy, r, start=inbox(r))
    gate.work(copy, r)
    return [copy]


@family
def g_one_button_for_all_staff(r: random.Random) -> Scene:
    """A reminder with one button to everybody of a health system; one real browser in a data centre looks at each."""
    gate = Gateway(
        "visible" if r.random() < 0.6 else "html",
        6,
        stack(r, r.choice(("driven", "impersonating", "embedded"))),
        pool(r, DATACENTRES, 8),
        quick_service(r),
        queue(r, 25),
        pictures=0.6,
    )
    scene = []
    for n in range(r.randrange(4, 16)):
        copy = Copy(
            links=1,
            decoy=r.random() < 0.7,
            domain="system.test",
            message="reminder",
            delivered=n * r.uniform(0.02, 0.5),
        )
        gate.work(copy, r)
        if r.random() < 0.4:
            Person(some_browser(r, "cross-site"), fixed(pool(r, BUSINESS, 1)[0])).read(copy, r, start=60 + inbox(r))
        scene.append(copy)
    return scene


@family
def g_one_button_alone(r: random.Random) -> Scene:
    """One button, one recipient, nobody else to compare with."""
    gate = Gateway(
        r.choice(("html", "visible", "text")),
        4,
        stack(r, r.choice(("listed", "copied", "embedded", "driven", "java"))),
        pool(r, DATACENTRES + MAKERS, 4),
        quick_service(r),
        queue(r, 40),
    )
    copy = Copy(links=1, decoy=r.random() < 0.7)
    gate.work(copy, r)
    return [copy]


@family
def g_follows_the_click(r: random.Random) -> Scene:
    """Looks at what a person just followed: the same link, from elsewhere, while the person waits or just after."""
    copy = mail(r)
    somebody = Person(some_browser(r), fixed(pool(r, CABLE, 1)[0]), manner="once")
    somebody.read(copy, r, start=inbox(r))
    fetch, out = stack(r, r.choice(("driven", "embedded", "listed", "copied"))), pool(r, DATACENTRES, 2)
    for event in [e for e in copy.events if e.kind == "click"]:
        copy.hit(
            Event(
                event.at + r.choice((-0.4, 0.6, 9.0)) * r.uniform(0.5, 1.6),
                "machine",
                "click",
                fetch(),
                r.choice(out),
                link=event.link,
            )
        )
    return [copy]


@family
def g_guard_on_the_computer(r: random.Random) -> Scene:
    """A guard on the person's computer asks for all addresses on the screen before the person follows one."""
    home = pool(r, CABLE, 1)[0]
    copy = mail(r, 5)
    start = inbox(r)
    guard = Gateway(
        "visible",
        4,
        stack(r, r.choice(("listed", "java", "copied"))),
        [home],
        quick_service(r),
        lambda: 0.4,
        tries=0.4,
        pictures=0,
    )
    guard.work(copy, r, after=start)
    Person(some_browser(r, "cross-site"), fixed(home), pace=20).read(copy, r, start=start + 2)
    return [copy]


@family
def g_looks_before_it_answers(r: random.Random) -> Scene:
    """Follows links while it holds the transmission; our clock starts with its answer."""
    gate = Gateway(
        r.choice(("html", "visible")),
        8,
        stack(r, r.choice(("copied", "driven", "go"))),
        pool(r, DATACENTRES + MAKERS, 3),
        quick_service(r),
        lambda: -r.uniform(0.3, 6),
        pictures=0.2,
    )
    copy = mail(r, 5)
    gate.work(copy, r)
    return [copy]


@family
def g_list_members(r: random.Random) -> Scene:
    """A distribution list: the copy is looked at once for each of its members' gateways, and read by several."""
    copy = mail(r)
    for _ in range(r.randrange(2, 4)):
        gate = Gateway(
            r.choice(("html", "visible", "text")),
            r.choice((1, 4, 12)),
            stack(r, r.choice(("listed", "copied", "embedded", "driven"))),
            pool(r, DATACENTRES + MAKERS, 3),
            quick_service(r),
            queue(r, 120),
        )
        gate.work(copy, r)
    for _ in range(r.randrange(1, 3)):
        Person(some_browser(r), fixed(pool(r, BUSINESS + CABLE, 1)[0])).read(copy, r, start=60 + inbox(r))
    return [copy]


# -- people, the hard ones ---------------------------------------------------


@family
def p_ordinary(r: random.Random) -> Scene:
    copy = mail(r)
    site = r.choice(("cross-site", "none"))
    Person(some_browser(r, site), fixed(pool(r, CABLE + BUSINESS, 1)[0])).read(copy, r, start=inbox(r))
    return [copy]


@family
def p_waiting_for_it(r: random.Random) -> Scene:
    """Asked for it, watches the inbox, follows at once; some over a slow carrier."""
    copy = mail(r, 3)
    delay = (0.02, 0.3) if r.random() < 0.6 else (0.3, 2.5)
    Person(some_browser(r), fixed(pool(r, CARRIER + CABLE, 1)[0]), manner="once", pace=2.0, delay=delay).read(
        copy, r, start=r.uniform(1.4, 5)
    )
    return [copy]


@family
def p_tabs_over_a_slow_carrier(r: random.Random) -> Scene:
    """Opens links in tabs; a train's network delivers them together."""
    copy = mail(r, 7, 3)
    Person(
        chrome("windows", NOW_CHROME, site="cross-site"), fixed(pool(r, CARRIER, 1)[0]), manner="tabs", delay=(0.1, 0.8)
    ).read(copy, r, start=inbox(r))
    return [copy]


@family
def p_follows_all(r: random.Random) -> Scene:
    copy = mail(r, 7, 2)
    way = r.choice((fixed(pool(r, CABLE, 1)[0]), fixed(pool(r, DATACENTRES, 1)[0])))
    Person(some_browser(r, "cross-site"), way, manner="all", pace=5).read(copy, r, start=inbox(r))
    return [copy]


@family
def p_kiosk(r: random.Random) -> Scene:
    """A nurses' station: one computer, many recipients' mail, one after the other, soon after it comes."""
    way, head = fixed(pool(r, BUSINESS, 1)[0]), chrome("windows", NOW_CHROME - 4, edge=True, site="cross-site")
    scene, now = [], 0.0
    for n in range(r.randrange(4, 12)):
        copy = Copy(links=r.randrange(1, 4), domain="station.test", message=f"result{n}", delivered=now)
        Person(head, way, manner="once", pace=5).read(copy, r, start=r.uniform(4, 25))
        now += r.uniform(1, 40)
        scene.append(copy)
    return scene


@family
def p_desktops_in_a_cloud(r: random.Random) -> Scene:
    """A whole clinic on rented desktops: one way out, in a data centre, all with one browser."""
    out = pool(r, DATACENTRES, 2)
    head = chrome("windows", NOW_CHROME - 1, edge=True, site=r.choice(("cross-site", "none")))
    scene = []
    for n in range(r.randrange(3, 12)):
        copy = Copy(links=r.randrange(1, 6), domain="rented.test", message="news", delivered=n * 0.3)
        Person(head, lambda: r.choice(out)).read(copy, r, start=inbox(r))
        scene.append(copy)
    return scene


@family
def p_isolated_by_the_gateway(r: random.Random) -> Scene:
    """The gateway's maker runs the browser for the person (isolation): a person's click from the maker's network."""
    copy = mail(r)
    head = chrome("linux" if r.random() < 0.5 else "windows", NOW_CHROME - r.randrange(4), site="none")
    Person(head, fixed(pool(r, MAKERS + DATACENTRES, 1)[0])).read(copy, r, start=30 + inbox(r))
    return [copy]


@family
def p_insists(r: random.Random) -> Scene:
    """A trembling hand or an assistive switch: the same link again and again."""
    copy = mail(r, 4)
    Person(some_browser(r, "cross-site"), fixed(pool(r, CABLE, 1)[0]), manner="insists", pace=40).read(
        copy, r, start=inbox(r)
    )
    return [copy]


@family
def p_private_relay(r: random.Random) -> Scene:
    """Safari through Apple's relay: the way out changes from click to click."""
    copy = mail(r)
    ways = pool(r, RELAY, 4, together=False)
    Person(safari(r.choice(("iphone", "mac", "ipad")), r.choice((18, 26))), lambda: r.choice(ways)).read(
        copy, r, start=inbox(r)
    )
    return [copy]


@family
def p_old_and_guarded(r: random.Random) -> Scene:
    """An old browser behind a guard that opens TLS and takes encodings and hints away."""
    copy = mail(r, 5)
    head = r.choice(
        (
            chrome("windows7", 109),
            firefox("windows7", 115),
            safari("ipad", 12),
            chrome("windows", 86),
            chrome("mac", 128),
        )
    )
    head = [
        h if h[0] != "Accept-Encoding" else (h[0], "identity") for h in head if not h[0].lower().startswith("sec-ch-")
    ]
    Person(head, fixed(pool(r, CABLE + BUSINESS, 1)[0])).read(copy, r, start=inbox(r))
    return [copy]


@family
def p_two_devices(r: random.Random) -> Scene:
    """Taps on the telephone, then the same on the computer, in the same minute."""
    copy = mail(r, 4)
    home, link = pool(r, CABLE, 1)[0], r.randrange(1, copy.links + 1)
    mobile = home if r.random() < 0.5 else pool(r, CARRIER, 1)[0]
    start = inbox(r) + 5
    copy.hit(
        Event(
            start,
            "human",
            "click",
            r.choice((safari("iphone", 26), chrome("android", NOW_CHROME, mobile=True))),
            mobile,
            link=link,
        ),
        Event(
            start + r.uniform(8, 60),
            "human",
            "click",
            r.choice((chrome("windows"), safari("mac", 26))),
            home,
            link=link,
        ),
    )
    return [copy]


@family
def p_guessed_ahead(r: random.Random) -> Scene:
    """The browser fetches ahead as the pointer nears a link, and says so; then the person presses."""
    copy = mail(r, 5)
    home, link = pool(r, CABLE, 1)[0], r.randrange(1, copy.links + 1)
    at = inbox(r) + 5
    head = chrome("windows", site="cross-site")
    copy.hit(
        Event(at, "machine", "click", [*head, ("Sec-Purpose", "prefetch;prerender")], home, link=link),
        Event(at + r.uniform(0.2, 1.5), "human", "click", head, home, link=link),
    )
    return [copy]


@family
def p_pictures(r: random.Random) -> Scene:
    """Opens: proxies of mailboxes, mail programs, Apple's privacy, Gmail's prefetch."""
    copy, kind = mail(r), r.randrange(4)
    if kind == 0:
        agent = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
        copy.hit(
            Event(
                r.choice((inbox(r) + 3, r.uniform(2.1, 6))),
                "human",
                "open",
                plain(agent),
                pool(r, ("74.125.{1}.{2}", "66.102.{1}.{2}"), 1)[0],
                "pixel",
                0,
                note="gmail-proxy",
            )
        )
    elif kind == 1:
        agent = r.choice(
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)",
                "Outlook-iOS/2.0",
                "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)",
            )
        )
        copy.hit(Event(inbox(r) + 3, "human", "open", plain(agent), pool(r, CABLE, 1)[0], "pixel", 0))
    elif kind == 2:
        copy.hit(
            Event(
                r.expovariate(1 / 900),
                "undetermined",
                "open",
                plain("Mozilla/5.0"),
                pool(r, RELAY, 1)[0],
                "pixel",
                0,
                note="mpp",
            )
        )
    else:
        copy.hit(
            Event(
                r.uniform(0.3, 60),
                "machine",
                "open",
                plain(PREFETCH),
                pool(r, ("74.125.{1}.{2}",), 1)[0],
                "pixel",
                0,
                note="prefetch",
            )
        )
    return [copy]
