"""The families the rules were made with: each draws its hits from distributions (tracking.md 2 and our own).

A family is a function of a generator of random numbers that makes one scene: copies of messages and
what happens to them."""

import random
from collections.abc import Callable

from world import (
    APPLE_MAIL,
    AZURE,
    CLOUDS,
    FILTERS,
    GMAIL,
    GOOGLE,
    HOMES,
    MPP,
    NOW_CHROME,
    OFFICES,
    OUTLOOK,
    PREFETCH,
    RELAYS,
    THUNDERBIRD,
    VENDORS,
    YAHOO,
    Copy,
    Event,
    Scene,
    address,
    agent_of,
    chrome,
    firefox,
    near,
    plain,
    safari,
    windows,
)

FAMILIES: dict[str, Callable[[random.Random], Scene]] = {}
Headers = list[tuple[str, str]]


def family(function: Callable[[random.Random], Scene]) -> Callable[[random.Random], Scene]:
    FAMILIES[function.__name__.replace("_", "-")] = function
    return function


# -- people ------------------------------------------------------------------


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


@family
def h_desk(r: random.Random) -> Scene:
    click, picture = desktop(r)
    copy = Copy(links=r.randrange(1, 9))
    some = sorted(r.sample(range(1, copy.links + 1), min(copy.links, r.choice((1, 1, 1, 2, 3)))))
    return [
        person(
            r,
            copy,
            click=click,
            picture=picture,
            home=address(r, OFFICES),
            start=wait(r),
            links=some,
            gap=lambda: r.uniform(5, 200),
        )
    ]


@family
def h_phone(r: random.Random) -> Scene:
    click, picture = phone(r)
    copy = Copy(links=r.randrange(1, 7))
    return [
        person(
            r,
            copy,
            click=click,
            picture=picture,
            home=address(r, HOMES),
            start=wait(r, 900),
            links=[r.randrange(1, copy.links + 1)],
            gap=lambda: 5,
        )
    ]


@family
def h_quick(r: random.Random) -> Scene:
    """A notification on the telephone, a tap on the only button: clicks 3 to 8 seconds after the 250."""
    click, picture = phone(r) if r.random() < 0.6 else desktop(r)
    return [
        person(
            r,
            Copy(links=r.randrange(1, 4)),
            click=click,
            picture=picture,
            home=address(r, HOMES),
            start=r.uniform(1.6, 4),
            read=r.uniform(1.2, 4),
            links=[1],
            gap=lambda: 5,
        )
    ]


@family
def h_reads_all(r: random.Random) -> Scene:
    """Follows every link, one after the other."""
    click, picture = desktop(r) if r.random() < 0.5 else phone(r)
    copy = Copy(links=r.randrange(2, 7))
    return [
        person(
            r,
            copy,
            click=click,
            picture=picture,
            home=address(r, HOMES),
            start=wait(r, 300),
            links=list(range(1, copy.links + 1)),
            gap=lambda: r.uniform(1.8, 15),
        )
    ]


@family
def h_tabs(r: random.Random) -> Scene:
    """Opens links in tabs with the wheel of the mouse: a quarter of a second to two seconds between."""
    click = chrome("windows", site="cross-site") if r.random() < 0.7 else firefox(site="cross-site")
    copy = Copy(links=r.randrange(3, 8))
    some = list(range(1, copy.links + 1)) if r.random() < 0.3 else sorted(r.sample(range(1, copy.links + 1), 3))
    return [
        person(
            r,
            copy,
            click=click,
            picture=plain(GMAIL),
            home=address(r, HOMES),
            start=wait(r),
            links=some,
            gap=lambda: r.uniform(0.35, 2.0),
        )
    ]


@family
def h_double(r: random.Random) -> Scene:
    """Clicks everything twice."""
    click, picture = desktop(r)
    return [
        person(
            r,
            Copy(links=r.randrange(1, 5)),
            click=click,
            picture=picture,
            home=address(r, HOMES),
            start=wait(r),
            links=[1, 1],
            gap=lambda: r.uniform(0.06, 0.4),
        )
    ]


@family
def h_old_hospital(r: random.Random) -> Scene:
    """Machines nobody may update."""
    kind = r.randrange(4)
    if kind == 0:
        click = plain(
            "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
            accept="text/html, application/xhtml+xml, image/jxr, */*",
            lang="en-US",
            coding="gzip, deflate",
        )
    elif kind == 1:
        click = chrome("windows7", r.choice((49, 109)))
    elif kind == 2:
        click = firefox("windows7", r.choice((52, 115)))
    else:
        click = chrome("windows", r.choice((72, 83, 92, 103)), edge=False)
    copy = Copy(links=r.randrange(1, 6))
    return [
        person(
            r,
            copy,
            click=click,
            picture=plain(OUTLOOK),
            home=address(r, OFFICES),
            start=wait(r),
            links=[r.randrange(1, copy.links + 1)],
            gap=lambda: 9,
        )
    ]


@family
def h_old_tablet(r: random.Random) -> Scene:
    click = safari(r.choice(("ipad", "iphone")), r.choice((9, 10, 12, 14, 15)))
    return [
        person(
            r,
            Copy(links=r.randrange(1, 5)),
            click=click,
            picture=None,
            home=address(r, HOMES),
            start=wait(r),
            links=[1],
            gap=lambda: 9,
        )
    ]


@family
def h_vpn(r: random.Random) -> Scene:
    click, _ = desktop(r)
    nets = r.choice((("185.159.157.{2}", "146.70.{1}.{2}", "89.187.{1}.{2}"), RELAYS, CLOUDS))
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
def h_desktop_in_cloud(r: random.Random) -> Scene:
    """Staff whose desktops run in Azure or AWS; some remote browsers are Linux in a cloud."""
    click = chrome("windows", NOW_CHROME - r.choice((0, 1, 2, 5)), edge=True, site=r.choice(("cross-site", "none")))
    if r.random() < 0.3:
        click = chrome("linux", NOW_CHROME - r.choice((0, 1, 2)), site="cross-site")
    nets = AZURE if r.random() < 0.6 else CLOUDS
    copy = Copy(links=r.randrange(1, 6))
    some = sorted(r.sample(range(1, copy.links + 1), min(copy.links, r.choice((1, 1, 2)))))
    return [
        person(
            r,
            copy,
            click=click,
            picture=None,
            home=address(r, nets),
            start=wait(r, 1200),
            links=some,
            gap=lambda: r.uniform(4, 60),
        )
    ]


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


# -- machines ----------------------------------------------------------------

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
