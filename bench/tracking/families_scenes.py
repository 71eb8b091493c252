"""What the families of development share: their list, and how people and machines come."""

import random
from collections.abc import Callable

from world import (
    APPLE_MAIL,
    GMAIL,
    GOOGLE,
    MPP,
    NOW_CHROME,
    OUTLOOK,
    RELAYS,
    THUNDERBIRD,
    Copy,
    Event,
    Scene,
    address,
    agent_of,
    chrome,
    firefox,
    plain,
    safari,
    windows,
)

FAMILIES: dict[str, Callable[[random.Random], Scene]] = {}


Headers = list[tuple[str, str]]


def family(function: Callable[[random.Random], Scene]) -> Callable[[random.Random], Scene]:
    FAMILIES[function.__name__.replace("_", "-")] = function
    return function


def desktop(r: random.Random) -> tuple[Headers, Headers]:
    """Headers of a click and of an open, of somebody at a desk."""
    system = r.choice(("windows", "windows", "mac", "linux"))
    major = NOW_CHROME - r.choice((0, 0, 0, 1, 1, 2, 6))
    site = r.choice(("cross-site", "cross-site", "none"))
    kind = r.random()
    if kind < 0.5:
        edge = system == "windows" and r.random() < 0.5
        click = chrome(system, major, edge=edge, site=site)
        picture = chrome(system, major, edge=edge, site="cross-site", image=True)
    elif kind < 0.7:
        click, picture = (
            firefox(system, 158 - r.choice((0, 1, 18)), site=site),
            firefox(system, image=True, site="cross-site"),
        )
    elif kind < 0.85:
        click, picture = safari("mac", r.choice((26, 18)), site=site), plain(APPLE_MAIL, lang="en-US,en;q=0.9")
    else:
        click, picture = chrome(system, major), plain(r.choice((OUTLOOK, THUNDERBIRD)))
    return click, plain(GMAIL) if r.random() < 0.3 else picture


def phone(r: random.Random) -> tuple[Headers, Headers]:
    if r.random() < 0.55:
        return safari("iphone", r.choice((26, 26, 18, 17))), plain(MPP) if r.random() < 0.6 else plain(GMAIL)
    return chrome("android", NOW_CHROME - r.choice((0, 0, 1, 2)), mobile=True), plain(GMAIL)


def wait(r: random.Random, median: float = 2400.0) -> float:
    return max(6.0, r.lognormvariate(0, 1.6) * median)


def person(
    r: random.Random,
    copy: Copy,
    *,
    click: Headers,
    picture: Headers | None,
    home: str,
    start: float,
    links: list[int],
    gap: Callable[[], float],
    read: float | None = None,
) -> Copy:
    """Opens, reads, follows some links in turn."""
    if picture is not None:
        proxied = "GoogleImageProxy" in agent_of(picture) or agent_of(picture) == MPP
        where = home
        if proxied:
            where = address(r, GOOGLE if "Google" in agent_of(picture) else RELAYS)
        truth = "undetermined" if agent_of(picture) == MPP else "human"
        at = r.uniform(1, 400) if agent_of(picture) == MPP else start
        copy.hit(Event(at, truth, "open", picture, where, role="pixel", link=0))
    at = start + (r.uniform(2, 30) if read is None else read)
    for link in links:
        copy.hit(Event(at, "human", "click", click, home, link=link))
        at += gap()
    return copy


OLD = (
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/57.0.2987.133 Safari/537.36",
    windows("79.0.3945.136"),
    windows("72.0.3626.109"),
)


NEW = windows(f"{NOW_CHROME - 4}.0.0.0")


def bare(r: random.Random) -> Headers:
    """A fetcher with a browser's name and few headers."""
    kind = r.randrange(3)
    if kind == 0:
        return plain(r.choice((*OLD, NEW)), coding="gzip, deflate")
    if kind == 1:
        return plain(r.choice((*OLD, NEW)), accept=HTML_LIKE, coding="gzip")
    return plain(NEW, accept=HTML_LIKE, coding="gzip, deflate, br", lang="en-US,en;q=0.9")


HTML_LIKE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def started(r: random.Random) -> float:
    """Start of a sweep (craft546's histogram)."""
    low, high = r.choices(
        ((0, 10), (10, 20), (20, 60), (60, 300), (300, 1800), (3600, 86400)), (0.5, 2.2, 66.4, 28.3, 1.9, 0.7)
    )[0]
    return r.uniform(low, high)


def sweep(
    r: random.Random,
    copy: Copy,
    headers: Callable[[], Headers],
    where: Callable[[], str],
    start: float,
    *,
    step: Callable[[], float],
    hidden: float = 0.85,
    picture: float = 0.96,
    way_out: float = 0.5,
) -> Copy:
    """Every link in turn; perhaps the picture about half a minute before, the hidden link, the way out of the list."""
    if r.random() < picture:
        copy.hit(Event(max(0.2, start - r.gauss(33, 6)), "machine", "open", headers(), where(), role="pixel", link=0))
    targets: list[tuple[str, int]] = [("link", n) for n in range(1, copy.links + 1)]
    if copy.decoy and r.random() < hidden:
        targets.append(("decoy", 0))
    if r.random() < way_out:
        targets.append(("unsubscribe", copy.links + 1))
    at = start
    for role, link in targets:
        copy.hit(Event(at, "machine", "click", headers(), where(), role=role, link=link))
        at += step()
    return copy
