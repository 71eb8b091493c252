"""Families of machines that hide, share, ask first or come from homes."""

import random

from families_scenes import HTML_LIKE, NEW, OLD, bare, desktop, family, person, phone, started, sweep, wait
from world import (
    AZURE,
    CLOUDS,
    GOOGLE,
    HOMES,
    MPP,
    NOW_CHROME,
    OFFICES,
    OUTLOOK,
    PREFETCH,
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


@family
def m_virus_scanner_at_home(r: random.Random) -> Scene:
    """A virus scanner on the person's own computer follows all links as the message is shown; the person clicks too."""
    home = address(r, HOMES)
    click, picture = desktop(r)
    copy = Copy(links=r.randrange(1, 6))
    start = wait(r)
    scanner = (
        plain("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", accept="*/*")
        if r.random() < 0.5
        else plain(NEW, coding="gzip")
    )
    sweep(r, copy, lambda: scanner, lambda: home, start + 0.5, step=lambda: r.uniform(0.02, 0.8), picture=0)
    if r.random() < 0.6:
        person(
            r,
            copy,
            click=click,
            picture=picture,
            home=home,
            start=start,
            links=[1],
            gap=lambda: 9,
            read=r.uniform(4, 60),
        )
    return [copy]


@family
def m_rotating(r: random.Random) -> Scene:
    """Another address and another browser for each link."""
    copy = Copy(links=r.randrange(2, 8), decoy=r.random() < 0.7)
    return [
        sweep(
            r,
            copy,
            lambda: r.choice((bare(r), chrome(r.choice(("windows", "mac")), NOW_CHROME - r.randrange(12)), firefox())),
            lambda: address(r, (*CLOUDS, *HOMES)),
            started(r),
            step=lambda: r.uniform(0.01, 0.8),
        )
    ]


@family
def m_then_person(r: random.Random) -> Scene:
    """A gateway looks at everything; the person reads later. Some send it on, and it is looked at again."""
    head, base = bare(r), address(r, (*CLOUDS, *AZURE, *VENDORS))
    copy = Copy(links=r.randrange(1, 7), decoy=r.random() < 0.7)
    sweep(r, copy, lambda: head, lambda: near(r, base), started(r), step=lambda: r.uniform(0.01, 0.3))
    click, picture = desktop(r)
    person(
        r,
        copy,
        click=click,
        picture=picture,
        home=address(r, OFFICES),
        start=wait(r) + 120,
        links=[r.randrange(1, copy.links + 1)],
        gap=lambda: 9,
    )
    if r.random() < 0.3:
        sweep(r, copy, lambda: head, lambda: near(r, base), wait(r) + 4000, step=lambda: r.uniform(0.01, 0.3))
    return [copy]


@family
def m_safe_links(r: random.Random) -> Scene:
    """A person's click through Safe Links reaches us from the person's address; Microsoft looks at it about then."""
    click = chrome("windows", NOW_CHROME - 1, edge=True)
    copy = Copy(links=r.randrange(1, 6))
    person(
        r, copy, click=click, picture=plain(OUTLOOK), home=address(r, OFFICES), start=wait(r), links=[1], gap=lambda: 9
    )
    at = copy.events[-1].at + r.uniform(-3, 8)
    copy.hit(
        Event(
            at,
            "machine",
            "click",
            plain(r.choice(OLD), accept=HTML_LIKE, coding="gzip, deflate, br", lang="en-US"),
            address(r, AZURE[:1]),
            link=1,
        )
    )
    return [copy]


@family
def m_chat_preview(r: random.Random) -> Scene:
    """The link is pasted into a chat: a preview is made, people click."""
    agent = r.choice(
        (
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "WhatsApp/2.24.7.79 A",
            "TelegramBot (like TwitterBot)",
            "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
            "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
        )
    )
    copy = Copy(links=2)
    at = wait(r)
    copy.hit(Event(at, "machine", "click", plain(agent), address(r, (*CLOUDS, *HOMES)), link=1))
    click, _ = phone(r)
    copy.hit(Event(at + r.uniform(3, 900), "human", "click", click, address(r, HOMES), link=1))
    return [copy]


@family
def m_driven_slowly(r: random.Random) -> Scene:
    """A real browser in a data centre that takes its time at each page."""
    base, head = address(r, (*CLOUDS, *AZURE)), chrome(r.choice(("linux", "windows")), NOW_CHROME - r.choice((0, 3)))
    copy = Copy(links=r.randrange(2, 9), decoy=r.random() < 0.7)
    start = started(r) if r.random() < 0.6 else r.uniform(4000, 60_000)
    return [sweep(r, copy, lambda: head, lambda: base, start, step=lambda: r.uniform(1, 11), hidden=0.4, way_out=0.2)]


@family
def m_telephones(r: random.Random) -> Scene:
    """A farm of telephones behind homes."""
    base = address(r, HOMES)
    head = safari("iphone") if r.random() < 0.4 else chrome("android", NOW_CHROME - 1, mobile=True)
    copy = Copy(links=r.randrange(2, 7), decoy=r.random() < 0.7)
    return [
        sweep(r, copy, lambda: head, lambda: base, started(r), step=lambda: r.uniform(0.3, 2), hidden=0.4, way_out=0.2)
    ]


@family
def m_guard_asks_first(r: random.Random) -> Scene:
    """A guard on the computer asks for the one link the person follows."""
    click, picture = desktop(r)
    home = address(r, HOMES)
    copy = person(
        r,
        Copy(links=r.randrange(1, 6)),
        click=click,
        picture=picture,
        home=home,
        start=wait(r),
        links=[1],
        gap=lambda: 9,
    )
    return [copy.hit(Event(copy.events[-1].at - r.uniform(0.05, 2), "machine", "click", bare(r), home, link=1))]


@family
def m_pictures(r: random.Random) -> Scene:
    """Opens by machines: Apple's relay, Gmail's prefetch, gateways."""
    kind = r.randrange(3)
    if kind == 0:
        event = Event(
            r.uniform(1, 4000), "undetermined", "open", plain(MPP), address(r, RELAYS), role="pixel", link=0, note="mpp"
        )
    elif kind == 1:
        event = Event(
            r.uniform(0.5, 30),
            "machine",
            "open",
            plain(PREFETCH),
            address(r, GOOGLE),
            role="pixel",
            link=0,
            note="prefetch",
        )
    else:
        event = Event(started(r) / 4, "machine", "open", bare(r), address(r, (*CLOUDS, *VENDORS)), role="pixel", link=0)
    return [Copy(links=r.randrange(1, 5)).hit(event)]


@family
def m_instant(r: random.Random) -> Scene:
    """Looked at while the message is still being taken, before the 250 or just after it."""
    head, base = (bare(r) if r.random() < 0.5 else chrome("windows", NOW_CHROME - 3)), address(r, (*CLOUDS, *HOMES))
    return [
        sweep(
            r,
            Copy(links=r.randrange(1, 5), decoy=r.random() < 0.7),
            lambda: head,
            lambda: base,
            r.uniform(-4, 1.2),
            step=lambda: r.uniform(0.01, 0.4),
            picture=0.2,
        )
    ]
