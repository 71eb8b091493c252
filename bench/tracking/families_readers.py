"""Families of people behind something: filters, proxies, forwards, apps."""

import random

from families_scenes import desktop, family, person, phone, wait
from world import (
    APPLE_MAIL,
    FILTERS,
    GMAIL,
    GOOGLE,
    HOMES,
    MPP,
    NOW_CHROME,
    OFFICES,
    OUTLOOK,
    THUNDERBIRD,
    YAHOO,
    Copy,
    Event,
    Scene,
    address,
    chrome,
    firefox,
    plain,
    safari,
)


@family
def h_filter(r: random.Random) -> Scene:
    """Browse through a cloud filter: many share its addresses."""
    click = [
        *chrome("windows", NOW_CHROME - r.choice((0, 1)), edge=r.random() < 0.5, site=r.choice(("cross-site", "none"))),
        ("Via", "1.1 proxy"),
    ]
    return [
        person(
            r,
            Copy(links=r.randrange(1, 6)),
            click=click,
            picture=plain(OUTLOOK),
            home=address(r, FILTERS),
            start=wait(r),
            links=[1],
            gap=lambda: 9,
        )
    ]


@family
def h_meeting(r: random.Random) -> Scene:
    """Twenty colleagues behind one address, with one managed browser, told to follow the link now."""
    home, major = address(r, OFFICES), NOW_CHROME - 1
    links = r.randrange(1, 4)
    told = r.uniform(20, 300)
    scene = []
    for n in range(r.randrange(8, 24)):
        delivered = n * r.uniform(0.05, 0.4)
        copy = Copy(links=links, domain="group.test", message="m", delivered=delivered)
        copy.hit(
            Event(
                told + r.uniform(0, 40) - delivered, "human", "click", chrome("windows", major, edge=True), home, link=1
            )
        )
        scene.append(copy)
    return scene


@family
def h_private(r: random.Random) -> Scene:
    """Tor Browser, hardened Firefox; a filter that takes headers away."""
    kind = r.randrange(3)
    if kind == 0:
        click, nets = firefox("windows", 140), ("185.220.101.{2}", "146.70.{1}.{2}")
    elif kind == 1:
        click, nets = [h for h in chrome("windows") if h[0] != "Accept-Language"], HOMES
    else:
        click, nets = [h for h in firefox("linux", 140) if h[0] not in ("Sec-Fetch-User", "Referer")], HOMES
    return [
        person(
            r,
            Copy(links=r.randrange(1, 6)),
            click=click,
            picture=None,
            home=address(r, nets),
            start=wait(r),
            links=[1],
            gap=lambda: 9,
        )
    ]


@family
def h_forward(r: random.Random) -> Scene:
    """Sent on to family: other networks, other clients, hours later, the same links."""
    copy = Copy(links=r.randrange(1, 5))
    start = wait(r)
    for _ in range(r.randrange(2, 4)):
        click, picture = phone(r) if r.random() < 0.6 else desktop(r)
        person(
            r,
            copy,
            click=click,
            picture=picture,
            home=address(r, HOMES),
            start=start,
            links=sorted(r.sample(range(1, copy.links + 1), min(copy.links, 2))),
            gap=lambda: r.uniform(4, 80),
        )
        start += wait(r)
    return [copy]


@family
def h_shared(r: random.Random) -> Scene:
    """One tablet, a family; taps at the same link days apart."""
    click = safari("ipad", r.choice((26, 18, 16)))
    return [
        person(
            r,
            Copy(links=2),
            click=click,
            picture=plain(MPP),
            home=address(r, HOMES),
            start=wait(r),
            links=[1, 2, 1],
            gap=lambda: r.uniform(30, 90_000),
        )
    ]


@family
def h_textual(r: random.Random) -> Scene:
    """A text browser under a screen reader."""
    agent = r.choice(
        (
            "Lynx/2.9.2 libwww-FM/2.14 SSL-MM/1.4.1 GNUTLS/3.8.4",
            "w3m/0.5.3+git20230121",
            "ELinks/0.17.1 (textmode; Linux 6.8; 120x40)",
        )
    )
    click = plain(agent, accept="text/html, text/plain, */*;q=0.01", lang="en", coding="gzip, compress")
    copy = Copy(links=r.randrange(1, 7))
    some = list(range(1, copy.links + 1)) if r.random() < 0.3 else [1]
    return [
        person(
            r,
            copy,
            click=click,
            picture=None,
            home=address(r, HOMES),
            start=wait(r),
            links=some,
            gap=lambda: r.uniform(4, 60),
        )
    ]


@family
def h_in_app(r: random.Random) -> Scene:
    """The browser inside a mail app."""
    major = NOW_CHROME - r.choice((0, 1, 3))
    agent = "Mozilla/5.0 (Linux; Android 14; SM-A155F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0"
    agent += f" Chrome/{major}.0.0.0 Mobile Safari/537.36"
    click = [
        (n, agent if n == "User-Agent" else v.replace("Google Chrome", "Android WebView"))
        for n, v in chrome("android", major, mobile=True)
    ]
    click.append(("X-Requested-With", "mail.app.example"))
    return [
        person(
            r,
            Copy(links=r.randrange(1, 5)),
            click=click,
            picture=plain("Dalvik/2.1.0 (Linux; U; Android 14; SM-A155F)"),
            home=address(r, HOMES),
            start=wait(r),
            links=[1],
            gap=lambda: 9,
        )
    ]


@family
def h_ward_wifi(r: random.Random) -> Scene:
    """Patients in a waiting room: one address, their own telephones, one reminder each."""
    home = address(r, OFFICES)
    scene = []
    for n in range(r.randrange(5, 15)):
        click, picture = phone(r)
        copy = Copy(links=r.randrange(1, 3), message=f"r{n}", delivered=r.uniform(0, 3600))
        scene.append(
            person(r, copy, click=click, picture=picture, home=home, start=r.uniform(2, 900), links=[1], gap=lambda: 9)
        )
    return scene


@family
def h_copied(r: random.Random) -> Scene:
    """The address copied out of the text, with a bracket or a full stop behind it."""
    click, _ = desktop(r)
    copy = Copy(links=r.randrange(1, 4)).hit(
        Event(
            wait(r),
            "human",
            "click",
            [h if h[0] != "Sec-Fetch-Site" else (h[0], "none") for h in click],
            address(r, HOMES),
            altered=True,
        )
    )
    return [copy]


@family
def h_picture_proxies(r: random.Random) -> Scene:
    """Opens alone: the proxies of Gmail, Yahoo and Outlook; mail programs; Gmail already open at arrival."""
    kind = r.randrange(5)
    at = wait(r) if r.random() < 0.9 else r.uniform(2, 8)
    if kind < 2:
        event = Event(at, "human", "open", plain(GMAIL), address(r, GOOGLE), role="pixel", link=0, note="gmail-proxy")
    elif kind == 2:
        event = Event(
            at, "human", "open", plain(YAHOO), address(r, ("98.137.{1}.{2}", "67.195.{1}.{2}")), role="pixel", link=0
        )
    else:
        agent = r.choice(
            (
                OUTLOOK,
                THUNDERBIRD,
                APPLE_MAIL,
                "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7)",
                "MobileMail/600 CFNetwork/1568.1 Darwin/24.0",
            )
        )
        event = Event(at, "human", "open", plain(agent), address(r, HOMES), role="pixel", link=0)
    return [Copy(links=r.randrange(1, 6)).hit(event)]


@family
def h_stripped(r: random.Random) -> Scene:
    """A proxy of an office that takes headers away."""
    gone = r.choice((("Accept-Language", "Accept-Encoding"), ("Accept-Encoding",), ("sec-ch-ua", "Accept-Language")))
    click = [h for h in chrome("windows", NOW_CHROME - 2, edge=True) if h[0] not in gone]
    return [
        person(
            r,
            Copy(links=r.randrange(1, 5)),
            click=click,
            picture=None,
            home=address(r, OFFICES),
            start=wait(r),
            links=[1],
            gap=lambda: 9,
        )
    ]
