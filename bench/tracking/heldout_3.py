"""Families by a fourth principle: no stories. Every quantity is drawn over its whole range, each apart from the others, and
the families are slices: what a machine sends and how many links there are, how a person browses and from where.

Machines: 1 to 10 links; begin at 1 s to a day (even in the logarithm); 5 ms to 20 s between links; all links or some, in
order or not; every network; every way to send; follow the hidden link in 0 to 60 of 100. People: at least 2.5 s after
delivery, 0.35 s (tabs of a page) or 1.8 s (otherwise) to five minutes between links. Frozen before its first look."""

import math
import random
from collections.abc import Callable

from world import (
    AZURE,
    CLOUDS,
    FILTERS,
    HOMES,
    NOW_CHROME,
    NOW_FIREFOX,
    OFFICES,
    RELAYS,
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
FAMILIES: dict[str, Callable[[random.Random], Scene]] = {}


def even(r: random.Random, low: float, high: float) -> float:
    """Even in the logarithm."""
    return math.exp(r.uniform(math.log(low), math.log(high)))


def borrowed(r: random.Random) -> Headers:
    """A browser's name with any part of a browser's headers."""
    major = NOW_CHROME - r.randrange(60)
    optional = [
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("Accept-Language", "en-US,en;q=0.9"),
        ("Accept-Encoding", "gzip, deflate, br"),
        ("Upgrade-Insecure-Requests", "1"),
    ]
    return [("User-Agent", windows(f"{major}.0.0.0")), *(one for one in optional if r.random() < 0.5)]


def real(r: random.Random) -> Headers:
    return r.choice(
        (
            chrome("windows", NOW_CHROME - r.randrange(12)),
            chrome("linux", NOW_CHROME - r.randrange(12)),
            chrome("mac", NOW_CHROME - r.randrange(6)),
            chrome("windows", NOW_CHROME - r.randrange(4), edge=True),
            firefox("linux", NOW_FIREFOX - r.randrange(12)),
        )
    )


def said(r: random.Random) -> Headers:
    return plain(
        r.choice(
            (
                "python-urllib/3.12",
                "node-fetch/1.0",
                "Apache-HttpClient/4.5.14",
                "Mozilla/5.0 (compatible; LinkCheck/1.0)",
            )
        )
    )


STACKS: dict[str, Callable[[random.Random], Headers]] = {"borrowed": borrowed, "real": real, "said": said}
MACHINE_NETS = {"cloud": CLOUDS, "azure": AZURE, "vendor": VENDORS, "home": HOMES, "office": OFFICES}
#: how often each is met with, of a hundred: gateways leave from data centres (tracking.md 2), few through homes
SHARES = {"cloud": 40, "azure": 25, "vendor": 15, "home": 8, "office": 12}


def machine(stack: str, links: tuple[int, int]) -> Callable[[random.Random], Scene]:
    def make(r: random.Random) -> Scene:
        net = r.choices(list(SHARES), list(SHARES.values()))[0]
        base, headers = address(r, MACHINE_NETS[net]), STACKS[stack](r)
        pace, hidden = even(r, 0.005, 20), r.uniform(0, 0.6)
        begin, copies = even(r, 1, 86_400), r.choice((1, 1, 2, 5))
        scene = []
        for n in range(copies):
            copy = Copy(
                links=r.randint(*links),
                decoy=r.random() < 0.7,
                domain="slice.test",
                message="m",
                delivered=n * r.uniform(0, 2),
            )
            targets = [("link", k) for k in range(1, copy.links + 1)]
            if r.random() < 0.25 and copy.links > 2:
                targets = r.sample(targets, r.randrange(2, copy.links))
            if copy.decoy and r.random() < hidden:
                targets.append(("decoy", 0))
            if r.random() < 0.3:
                r.shuffle(targets)
            at = begin * r.uniform(0.7, 1.4)
            for role, link in targets:
                copy.hit(Event(at, "machine", "click", headers, base, role, link))
                at += pace * r.uniform(0.5, 1.6)
            scene.append(copy)
        return scene

    return make


PEOPLE: dict[str, Callable[[random.Random], Headers]] = {
    "page": lambda r: r.choice(
        (
            chrome("windows", NOW_CHROME, site="cross-site"),
            firefox("mac", NOW_FIREFOX, site="cross-site"),
            safari("mac", 26, site="cross-site"),
            chrome("chromeos", NOW_CHROME - 1, site="cross-site"),
        )
    ),
    "program": lambda r: r.choice(
        (chrome("windows", NOW_CHROME - r.randrange(5), edge=True), firefox("windows", NOW_FIREFOX), safari("mac", 18))
    ),
    "telephone": lambda r: r.choice(
        (
            safari("iphone", 26),
            safari("ipad", 18),
            chrome("android", NOW_CHROME, mobile=True),
            firefox("android", NOW_FIREFOX),
        )
    ),
    "old": lambda r: r.choice(
        (
            chrome("windows7", 109),
            firefox("windows7", 115),
            safari("ipad", 12),
            chrome("mac", 116),
            firefox("linux", 102),
        )
    ),
}
PEOPLE_NETS = {
    "home": HOMES,
    "office": OFFICES,
    "filter": FILTERS,
    "relay": RELAYS,
    "vpn": ("146.70.{1}.{2}",),
    "cloud": (*AZURE, *CLOUDS),
}


def human(how: str, net: str) -> Callable[[random.Random], Scene]:
    def make(r: random.Random) -> Scene:
        where, headers = address(r, PEOPLE_NETS[net]), PEOPLE[how](r)
        copy = Copy(links=r.randint(1, 10), decoy=r.random() < 0.7)
        count = r.choice((1, 1, 1, 2, 2, 3, copy.links))
        at = even(r, 2.5, 200_000)
        for link in sorted(r.sample(range(1, copy.links + 1), min(count, copy.links))):
            copy.hit(Event(at, "human", "click", headers, where, link=link))
            at += even(r, 0.35 if how == "page" else 1.8, 300)
        return [copy]

    return make


for _stack in STACKS:
    for _name, _links in (("one", (1, 1)), ("few", (2, 4)), ("many", (5, 10))):
        FAMILIES[f"m-{_stack}-{_name}"] = machine(_stack, _links)
for _how in PEOPLE:
    for _net in PEOPLE_NETS:
        FAMILIES[f"h-{_how}-{_net}"] = human(_how, _net)
