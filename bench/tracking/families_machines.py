"""Families of machines that sweep a copy or look at one link."""

import random

from families_scenes import HTML_LIKE, OLD, bare, desktop, family, person, started, sweep, wait
from world import (
    AZURE,
    CLOUDS,
    HOMES,
    NOW_CHROME,
    OFFICES,
    VENDORS,
    Copy,
    Event,
    Scene,
    address,
    chrome,
    near,
    plain,
)


@family
def m_sweep(r: random.Random) -> Scene:
    """craft546: all links in under a second, tens of seconds after delivery, a browser's name, a data centre."""
    head, base = bare(r), address(r, (*CLOUDS, *AZURE))
    copy = Copy(links=r.randrange(2, 11), decoy=r.random() < 0.7)
    return [sweep(r, copy, lambda: head, lambda: near(r, base), started(r), step=lambda: r.uniform(0.001, 0.15))]


@family
def m_sweep_browser(r: random.Random) -> Scene:
    """A sandbox with a real browser, one window a link, from a data centre or through homes."""
    nets = CLOUDS if r.random() < 0.6 else HOMES
    base = address(r, nets)
    system, major = r.choice(("windows", "linux", "mac")), NOW_CHROME - r.choice((0, 1, 4, 10))
    copy = Copy(links=r.randrange(2, 8), decoy=r.random() < 0.7)
    return [
        sweep(
            r,
            copy,
            lambda: chrome(system, major),
            lambda: base,
            started(r),
            step=lambda: r.uniform(0.01, 0.7),
            hidden=0.5,
            picture=0.4,
            way_out=0.3,
        )
    ]


@family
def m_defender(r: random.Random) -> Scene:
    """Microsoft: old Chromes from Azure; a changed address beside the true one."""
    base = address(r, AZURE[:1] + AZURE[3:5])
    copy = Copy(links=r.randrange(1, 7), decoy=r.random() < 0.7)
    start = started(r)
    head = plain(r.choice(OLD), accept=HTML_LIKE, coding="gzip, deflate, br", lang="en-US")
    sweep(
        r, copy, lambda: head, lambda: near(r, base), start, step=lambda: r.uniform(0.001, 0.4), hidden=0.6, picture=0.5
    )
    if r.random() < 0.5:
        copy.hit(Event(start + 0.3, "machine", "click", head, base, link=1, altered=True))
    return [copy]


@family
def m_slow(r: random.Random) -> Scene:
    """One link every few seconds, in order."""
    head, base = (bare(r) if r.random() < 0.6 else chrome("windows", NOW_CHROME - 3)), address(r, CLOUDS)
    copy = Copy(links=r.randrange(3, 9), decoy=r.random() < 0.7)
    return [
        sweep(r, copy, lambda: head, lambda: base, started(r), step=lambda: r.uniform(1.5, 12), hidden=0.7, picture=0.5)
    ]


@family
def m_hours_later(r: random.Random) -> Scene:
    """Looked at again after hours, when a list of bad sites has changed."""
    head, base = bare(r), address(r, (*CLOUDS, *VENDORS))
    copy = Copy(links=r.randrange(1, 8), decoy=r.random() < 0.7)
    return [
        sweep(
            r,
            copy,
            lambda: head,
            lambda: near(r, base),
            r.uniform(3600, 90_000),
            step=lambda: r.uniform(0.01, 1.0),
            picture=0.1,
        )
    ]


@family
def m_one_link_bare(r: random.Random) -> Scene:
    head, base = bare(r), address(r, (*CLOUDS, *AZURE, *VENDORS))
    return [
        sweep(
            r,
            Copy(links=1, decoy=r.random() < 0.7),
            lambda: head,
            lambda: near(r, base),
            started(r),
            step=lambda: r.uniform(0.01, 0.5),
            way_out=0.0,
        )
    ]


@family
def m_one_link_browser(r: random.Random) -> Scene:
    """One link, a real browser in a data centre; six recipients at one company, each looked at once."""
    base, major = address(r, CLOUDS), NOW_CHROME - r.choice((0, 2, 8))
    scene = []
    for n in range(r.randrange(3, 9)):
        copy = Copy(links=1, decoy=r.random() < 0.7, domain="company.test", message="m", delivered=n * r.uniform(0, 2))
        scene.append(
            sweep(
                r,
                copy,
                lambda: chrome("windows", major),
                lambda: near(r, base),
                started(r),
                step=lambda: 0.4,
                hidden=0.4,
                picture=0.4,
                way_out=0.0,
            )
        )
    return scene


@family
def m_detonation(r: random.Random) -> Scene:
    """A person clicks; seconds later a sandbox elsewhere follows the same link (resend901)."""
    click, picture = desktop(r)
    copy = Copy(links=r.randrange(1, 6))
    person(r, copy, click=click, picture=picture, home=address(r, HOMES), start=wait(r), links=[1], gap=lambda: 9)
    at = copy.events[-1].at + r.uniform(1, 30)
    other = bare(r) if r.random() < 0.5 else chrome(r.choice(("windows", "linux")), NOW_CHROME - r.choice((0, 6, 12)))
    copy.hit(Event(at, "machine", "click", other, address(r, (*CLOUDS, *AZURE, *HOMES[:2])), link=1))
    return [copy]


@family
def m_library(r: random.Random) -> Scene:
    agent = r.choice(
        (
            "python-requests/2.32.3",
            "Go-http-client/2.0",
            "curl/8.5.0",
            "",
            "Java/17.0.9",
            "Barracuda Sentinel (EE)",
            "axios/1.7.2",
        )
    )
    base = address(r, (*CLOUDS, *HOMES))
    return [
        sweep(
            r,
            Copy(links=r.randrange(1, 6)),
            lambda: plain(agent),
            lambda: base,
            started(r),
            step=lambda: r.uniform(0.01, 2),
        )
    ]


@family
def m_head_first(r: random.Random) -> Scene:
    head, base = bare(r), address(r, (*CLOUDS, *OFFICES))
    copy = Copy(links=r.randrange(1, 6))
    sweep(r, copy, lambda: head, lambda: base, started(r), step=lambda: r.uniform(0.05, 1))
    first = [
        Event(e.at - 0.02, e.truth, "click", e.headers, e.address, e.role, e.link, "HEAD")
        for e in copy.events
        if e.kind == "click"
    ]
    return [copy.hit(*first)]
