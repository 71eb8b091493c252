"""Families for rules 3: many clients at one copy, of one person, of several people, or of a farm; people who open
everything at once, and machines that take their time. The rules were changed with them in sight."""

import random
from collections.abc import Callable

from world import (
    AZURE,
    CLOUDS,
    FILTERS,
    HOMES,
    OFFICES,
    RELAYS,
    VENDORS,
    Copy,
    Event,
    Scene,
    address,
    chrome,
    firefox,
    near,
    plain,
    safari,
)
from world import NOW_CHROME as NOW

Headers = list[tuple[str, str]]
Make = Callable[[random.Random], Scene]
VPNS = ("146.70.{1}.{2}", "185.156.46.{2}", "193.138.218.{2}")
SERVERS = ("95.216.{1}.{2}", "45.79.{1}.{2}", "159.89.{1}.{2}", *CLOUDS)
FAMILIES: dict[str, Make] = {}
HOUR = 3600.0


def family(make: Make) -> Make:
    FAMILIES[make.__name__.replace("_", "-")] = make
    return make


def copy(r: random.Random, least: int = 1, most: int = 9, **more: str) -> Copy:
    return Copy(r.randint(least, most), decoy=r.random() < 0.6, **more)  # type: ignore[arg-type]


def click(at: float, truth: str, head: Headers, where: str, link: int) -> Event:
    return Event(at, truth, "click", head, where, link=link)


def desk(r: random.Random, site: str = "") -> Headers:
    site = site or r.choice(("none", "none", "cross-site"))
    if r.random() < 0.2:
        return firefox("windows", 158 - r.randint(0, 4), site=site)
    system = r.choice(("windows", "windows", "windows", "mac"))
    return chrome(system, NOW - r.choice((0, 0, 1, 2, 5)), edge=system == "windows" and r.random() < 0.5, site=site)


def driven(r: random.Random) -> Headers:
    """A browser that is driven, and hides it well."""
    return chrome(r.choice(("windows", "windows", "mac", "linux")), NOW - r.randint(0, 40), user=r.random() < 0.8)


def later(r: random.Random, median: float = 1.5 * HOUR) -> float:
    return max(20.0, median * r.lognormvariate(0, 1.3))


# -- people ------------------------------------------------------------------


@family
def h_tabs_from_a_program(r: random.Random) -> Scene:
    """All links of a message, each into its own window, with the mail program beside the browser."""
    c, head, where, at = copy(r, 3), desk(r, "none"), address(r, (*HOMES, *OFFICES)), later(r)
    gap = r.uniform(0.9, 3.0)
    for link in range(1, c.links + 1):
        c.hit(click(at, "human", head, where, link))
        at += gap * r.uniform(0.7, 1.6)
    return [c]


@family
def h_reads_it_all(r: random.Random) -> Scene:
    """From the first link to the last, a page at a time; a few behind a filter or a VPN."""
    c, head, at = copy(r, 3), desk(r), later(r)
    where = address(r, r.choice((HOMES, OFFICES, FILTERS, VPNS)))
    for link in range(1, c.links + 1):
        c.hit(click(at, "human", head, where, link))
        at += 4 + 16 * r.lognormvariate(0, 0.8)
    return [c]


@family
def h_egress_that_turns(r: random.Random) -> Scene:
    """An office that leaves by several lines: another address for each page, one browser."""
    c, head, at = copy(r, 2), desk(r), later(r)
    for link in r.sample(range(1, c.links + 1), min(c.links, r.randint(1, 4))):
        c.hit(click(at, "human", head, address(r, r.choice((FILTERS, FILTERS, RELAYS))), link))
        at += 5 + 15 * r.lognormvariate(0, 0.7)
    return [c]


@family
def h_on_the_train(r: random.Random) -> Scene:
    """A telephone from mast to mast."""
    c, at = copy(r, 2), later(r)
    head = safari("iphone", r.choice((26, 18))) if r.random() < 0.6 else chrome("android", NOW - 1, mobile=True)
    where = address(r, HOMES[5:7])
    for link in r.sample(range(1, c.links + 1), min(c.links, r.randint(1, 3))):
        c.hit(click(at, "human", head, where, link))
        at += 6 + 20 * r.lognormvariate(0, 0.8)
        where = address(r, HOMES[5:7]) if r.random() < 0.4 else where
    return [c]


@family
def h_shared_box(r: random.Random) -> Scene:
    """Several of a practice look at one copy within minutes, each at a browser of their own, one address."""
    c, where, start = copy(r, 2), address(r, OFFICES), later(r)
    for _ in range(r.randint(2, 4)):
        head, at = desk(r), start + r.expovariate(1 / 240)
        for link in r.sample(range(1, c.links + 1), min(c.links, r.choice((1, 1, 2)))):
            c.hit(click(at, "human", head, where, link))
            at += 8 + 12 * r.lognormvariate(0, 0.7)
    return [c]


@family
def h_after_two_looks(r: random.Random) -> Scene:
    """A gateway swept, and looked again an hour later; the person reads in between, at a desk or a rented desktop."""
    c, farm = copy(r, 2), address(r, (*AZURE, *CLOUDS))
    for start in (r.uniform(15, 90), r.uniform(0.6, 2) * HOUR):
        old, at = chrome("windows", 100, user=False, lang=""), start
        for link in range(1, c.links + 1):
            c.hit(click(at, "machine", old, near(r, farm), link))
            at += r.uniform(0.02, 0.3)
    head, at = desk(r), r.uniform(0.1, 12) * HOUR
    where = address(r, r.choice((HOMES, OFFICES, OFFICES, AZURE[1:3])))
    for link in r.sample(range(1, c.links + 1), min(c.links, r.choice((1, 1, 2)))):
        c.hit(click(at, "human", head, where, link))
        at += 6 + 14 * r.lognormvariate(0, 0.7)
    return [c]


@family
def h_rented_desktop(r: random.Random) -> Scene:
    """A published desktop, one link or a few, unhurried."""
    c, head, at = copy(r, 1), desk(r), later(r)
    where = address(r, (*AZURE[1:3], *CLOUDS[:3]))
    for link in r.sample(range(1, c.links + 1), min(c.links, r.choice((1, 1, 2, 3)))):
        c.hit(click(at, "human", head, where, link))
        at += 7 + 20 * r.lognormvariate(0, 0.8)
    return [c]


# -- machines ----------------------------------------------------------------


@family
def m_workers_of_a_queue(r: random.Random) -> Scene:
    """Each link is a job: another worker, another address, another browser, seconds to a minute apart."""
    c, at, gap = copy(r, 3), r.uniform(20, 400), r.choice((2.0, 8.0, 25.0))
    nets = r.choice((CLOUDS, SERVERS, (*CLOUDS, *HOMES[:4])))
    order = list(range(1, c.links + 1))
    r.shuffle(order)
    for link in order:
        c.hit(click(at, "machine", driven(r), address(r, nets), link))
        at += gap * r.lognormvariate(0, 0.6)
    return [c]


@family
def m_one_farm_many_names(r: random.Random) -> Scene:
    """One network of a data centre, a new name for each look, over days."""
    c, base, at = copy(r, 2), address(r, CLOUDS), r.uniform(20, 300)
    for _ in range(r.randint(3, 6)):
        c.hit(click(at, "machine", driven(r), near(r, base), r.randint(1, c.links)))
        at += r.uniform(0.3, 20) * HOUR
    return [c]


@family
def m_comes_again(r: random.Random) -> Scene:
    """A plain sweep at first; hours later the same place looks again, as a whole browser, at a link or two."""
    c, base = copy(r, 2), address(r, (*CLOUDS, *AZURE))
    at, first = r.uniform(15, 120), plain("python-requests/2.32.3") if r.random() < 0.5 else driven(r)
    for link in range(1, c.links + 1):
        c.hit(click(at, "machine", first, near(r, base), link))
        at += r.uniform(0.03, 0.3)
    again = driven(r)
    at += r.uniform(1, 40) * HOUR
    for link in r.sample(range(1, c.links + 1), min(c.links, 2)):
        c.hit(click(at, "machine", again, near(r, base), link))
        at += r.uniform(2, 60)
    return [c]


@family
def m_in_a_feed(r: random.Random) -> Scene:
    """A link in a feed of new addresses: crawlers that know nothing of each other, for days."""
    c, at, link = copy(r, 2), r.uniform(60, 4000), 1
    for n in range(r.randint(4, 8)):
        head = plain("curl/8.5.0") if n % 3 == 0 else driven(r)
        c.hit(click(at, "machine", head, address(r, SERVERS), link))
        at += r.uniform(0.2, 6) * HOUR
    return [c]


@family
def m_through_homes(r: random.Random) -> Scene:
    """Rented home lines, a new one for each link, a minute after delivery."""
    c, at, one = copy(r, 4), r.uniform(20, 150), driven(r)
    same = r.random() < 0.5
    for link in range(1, c.links + 1):
        c.hit(click(at, "machine", one if same else driven(r), address(r, HOMES[:5]), link))
        at += r.uniform(0.5, 12)
    return [c]


@family
def m_reported(r: random.Random) -> Scene:
    """A desk's tools after a report: one asks for a changed address, others from elsewhere, within the hour."""
    c, at, head = copy(r, 2), r.uniform(0.2, 5) * HOUR, driven(r)
    c.hit(click(at, "machine", head, address(r, SERVERS), 1))
    event = click(at + 1, "machine", head, address(r, SERVERS), 1)
    event.altered = True
    c.hit(event)
    for _ in range(r.randint(1, 3)):
        at += r.uniform(100, 1500)
        c.hit(click(at, "machine", plain(r.choice(("", "Go-http-client/1.1"))), address(r, (*SERVERS, *VENDORS)), 1))
    return [c]
