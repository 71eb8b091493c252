"""People of the fifth held-out set, some behind machines that looked first."""

from world import (
    AZURE,
    CLOUDS,
    HOMES,
    MPP,
    NOW_CHROME,
    OFFICES,
    OUTLOOK,
    RELAYS,
    VENDORS,
    Copy,
    Scene,
    address,
    chrome,
    firefox,
    near,
    plain,
    safari,
)

from heldout_5_base import (
    CARRIERS,
    EGRESS,
    HTML,
    LANGS,
    MSIE,
    VPNS,
    VPS,
    R,
    Who,
    desk,
    family,
    ln,
    look,
    mail,
    opened,
    phone,
    pool,
    reads,
    sandbox,
    sits,
    sweep,
    visit,
    who,
)


@family
def h_lift(r: R) -> Scene:
    """A telephone that loses the network in a lift or a garage and asks again, from Wi-Fi and then from the mast."""
    c, one, at = mail(r), phone(r), ln(r, 3000, 1.5, 10)
    wifi, mast = sits(r, (*HOMES, *OFFICES)), sits(r, CARRIERS)
    opened(r, c, at, one, wifi())
    link, at = r.randint(1, c.links), at + ln(r, 9, 0.8, 1.5)
    for n in range(r.randint(2, 5)):
        visit(r, c, at, one, mast if n and r.random() < 0.7 else wifi, [link])
        at += ln(r, 3.5 * (n + 1), 0.9, 0.3)
    return [c]


@family
def h_two_devices(r: R) -> Scene:
    """First on the telephone, then properly on the computer; sometimes both within the minute."""
    c, home, away = mail(r), sits(r, HOMES), sits(r, (*HOMES, *CARRIERS))
    end = reads(r, c, ln(r, 2500, 1.5, 8), phone(r), r.choice((home, away)))
    reads(r, c, end + ln(r, r.choice((30, 3600, 30000)), 1.0, 4), desk(r), r.choice((home, home, sits(r, OFFICES))))
    return [c]


@family
def h_spouse(r: R) -> Scene:
    """Sent on to a husband, a daughter, a carer: other devices, other places, the same copy."""
    c, home = mail(r), sits(r, HOMES)
    at = reads(r, c, ln(r, 4000, 1.4, 20), who(r), home)
    for _ in range(r.choice((1, 1, 2, 3))):
        at = reads(
            r, c, at + ln(r, 1500, 1.6, 15), who(r, 0.65), home if r.random() < 0.4 else sits(r, (*HOMES, *CARRIERS))
        )
    return [c]


@family
def h_ward_workstation(r: R) -> Scene:
    """Nurses of one ward, one notice each, on shared computers behind a hospital proxy, at the change of shift."""
    site, major = sits(r, (*EGRESS, *OFFICES)), NOW_CHROME - r.choice((1, 2, 2, 4, 8, 14, 20))
    edge, links, lang = r.random() < 0.7, mail(r).links, r.choice(("en-US,en;q=0.9", "en-US"))
    one: Who = lambda image: chrome("windows", major, edge=edge, image=image, lang=lang)  # noqa: E731
    shift, spread = ln(r, 9000, 1.0, 60), ln(r, 500, 0.8, 20)
    scene = []
    for n in range(r.randint(2, 7)):
        c = Copy(links, decoy=r.random() < 0.7, domain="hospital.test", message="rota", delivered=n * ln(r, 0.4, 0.8))
        reads(r, c, max(3.0, r.gauss(shift, spread)), one, site)
        scene.append(c)
    return scene


@family
def h_vpn(r: R) -> Scene:
    """A bought VPN: ways out among rented servers, careful browsers; a few through Tor."""
    c, tor = mail(r), r.random() < 0.1
    where = sits(r, ("185.220.101.{2}", "192.42.116.{2}") if tor else (*VPNS, *VPS[:3]))
    one: Who = (lambda image: firefox("windows", 140, image=image)) if tor else who(r, 0.4)
    reads(r, c, ln(r, 4000, 1.6, 6), one, where)
    return [c]


@family
def h_private_relay(r: R) -> Scene:
    """Apple at both ends: the picture fetched ahead, the press from another address of the relay each time."""
    c, base = mail(r), address(r, RELAYS)
    version, device = r.choice((26, 26, 18, 17)), r.choice(("iphone", "iphone", "mac", "ipad"))
    c.hit(look(ln(r, 200, 1.8), plain(MPP, coding="gzip, deflate"), address(r, RELAYS), "machine", "mpp"))
    visit(r, c, ln(r, 4000, 1.7, 5), lambda image: safari(device, version), lambda: near(r, base))
    return [c]


@family
def h_days_later(r: R) -> Scene:
    """Tidies the mailbox at the weekend; looks again before the appointment, weeks on."""
    c, at = mail(r), 0.0
    for _ in range(r.choice((1, 1, 2, 3))):
        at += ln(r, 3.5 * 86400, 0.9, 30000)
        reads(r, c, at, who(r, 0.4), sits(r, (*HOMES, *OFFICES, *CARRIERS)))
    return [c]


@family
def h_every_link(r: R) -> Scene:
    """Reads it all: either each in turn, or with the middle button into as many tabs, a second or so apart."""
    c, one, at = mail(r, 0.15), desk(r), ln(r, 5000, 1.4, 20)
    tabs, links = r.random() < 0.5, list(range(1, c.links + 1))
    if r.random() < 0.2:
        r.shuffle(links)
    where = sits(r, (*HOMES, *OFFICES))
    opened(r, c, at, one, where())
    gap, spread = (ln(r, 1.1, 0.4, 0.45), 0.35) if tabs else (ln(r, 18, 0.7, 3), 0.7)
    visit(r, c, at + ln(r, 20, 0.9, 2), one, where, links, gap, spread)
    return [c]


@family
def h_screen_reader(r: R) -> Scene:
    """From link to link by key, long hearings, some pressed twice as nothing was said; never what is hidden from it."""
    c, at, home = mail(r), ln(r, 6000, 1.4, 60), sits(r, HOMES)
    one: Who = r.choice(
        (
            lambda i: firefox("windows", 140, image=i),
            lambda i: chrome(edge=True, image=i),
            lambda i: safari("iphone", image=i),
        )
    )
    opened(r, c, at, one, home())
    at += ln(r, 70, 0.7, 10)
    for link in range(1, c.links + 1):
        if r.random() < 0.6 or link == 1:
            again = [link, link] if r.random() < 0.25 else [link]
            at = visit(r, c, at, one, home, again, ln(r, 4, 0.6) if len(again) > 1 else 50) + ln(r, 40, 0.7)
    return [c]


@family
def h_outlook_office(r: R) -> Scene:
    """Outlook on a desk: Microsoft looked first, the person presses at the office, in Edge, seconds or hours after."""
    c, site, old = mail(r), sits(r, (*OFFICES, *EGRESS)), r.choice(MSIE)
    head = sandbox(r) if r.random() < 0.5 else (lambda: plain(old, accept=HTML))
    if r.random() < 0.7:
        sweep(r, c, ln(r, 40, 0.9, 2), head, pool(r, AZURE), 0.1, decoy=0.6)
    major, at = NOW_CHROME - r.choice((0, 0, 1, 2, 6)), ln(r, 2000, 1.7, 12)
    c.hit(look(at, plain(OUTLOOK), site()))
    visit(r, c, at + ln(r, 12, 0.9, 1.5), lambda image: chrome("windows", major, edge=True), site)
    return [c]


@family
def h_double_click(r: R) -> Scene:
    """Presses everything twice, as on an icon."""
    c, one, at, home = mail(r), who(r, 0.25), ln(r, 4000, 1.4, 15), sits(r, HOMES)
    reads(r, c, at, one, home)
    for event in [e for e in c.events if e.kind == "click"]:
        if r.random() < 0.85:
            visit(r, c, event.at + ln(r, 0.22, 0.45, 0.06), one, lambda same=event.address: same, [event.link])
    return [c]


@family
def h_after_gateway(r: R) -> Scene:
    """The gateway swept; the person comes a little later, at times while it is still at work."""
    c, head, where = mail(r), sandbox(r), pool(r, (*VENDORS, *CLOUDS, *AZURE))
    at = ln(r, 35, 0.9, 2)
    end = sweep(r, c, at, head, where, r.choice((0.05, 0.5, 6)), decoy=0.5)
    start = r.choice((at + r.uniform(0, max(1, end - at)), end + ln(r, 25, 1.0, 1), end + ln(r, 3000, 1.4, 10)))
    reads(r, c, start, who(r), sits(r, (*OFFICES, *HOMES)))
    return [c]


@family
def h_at_once(r: R) -> Scene:
    """Waits for it: a telephone buzzes, or a reset was asked for a moment ago."""
    c, one = mail(r, 0.6), who(r, 0.7)
    where, at = sits(r, (*HOMES, *CARRIERS)), ln(r, 5, 0.7, 1.2)
    opened(r, c, at, one, where())
    visit(r, c, at + ln(r, 2.5, 0.6, 0.7), one, where)
    return [c]


@family
def h_cloud_desktop(r: R) -> Scene:
    """A rented or published desktop: a person's browser, a data centre's address."""
    c, where, edge = mail(r), sits(r, (*AZURE[1:3], *CLOUDS[:3])), r.random() < 0.6
    major, lang = NOW_CHROME - r.choice((0, 1, 1, 2, 4, 12)), r.choice(LANGS)
    site = r.choice(("none", "cross-site"))
    one: Who = lambda image: chrome("windows", major, edge=edge, site=site, lang=lang, image=image)  # noqa: E731
    reads(r, c, ln(r, 6000, 1.4, 30), one, where)
    return [c]


@family
def h_isolated_browser(r: R) -> Scene:
    """The employer shows pages from a browser run elsewhere: each press becomes a Linux Chromium's in a data centre."""
    c, base, major = mail(r), address(r, (*CLOUDS[3:5], *CLOUDS[:2], *EGRESS)), NOW_CHROME - r.choice((1, 2, 3, 6, 9))
    system = r.choice(("linux", "linux", "windows"))
    at = ln(r, 5000, 1.5, 30)
    opened(r, c, at, desk(r), address(r, OFFICES))
    visit(r, c, at + ln(r, 14, 0.9, 2), lambda image: chrome(system, major, image=image), lambda: near(r, base))
    return [c]


@family
def h_old_device(r: R) -> Scene:
    """What was bought long ago and still works."""
    c, at = mail(r), ln(r, 9000, 1.4, 40)
    one: Who = r.choice((
        lambda i: chrome("windows7", 109, image=i), lambda i: chrome("android", 95, mobile=True, image=i),
        lambda i: safari("ipad", 12, image=i), lambda i: firefox("windows", 115, image=i),
        lambda i: safari("iphone", 15, image=i),
        lambda i: chrome("mac", 116, image=i), lambda i: chrome("chromeos", 120, image=i),
    ))  # fmt: skip
    reads(r, c, at, one, sits(r, HOMES))
    return [c]


@family
def h_help_desk(r: R) -> Scene:
    """A shared inbox: several colleagues open the one copy in a ticket system, each from where he works."""
    c, at, site = mail(r), ln(r, 1200, 1.2, 20), sits(r, OFFICES)
    for _ in range(r.randint(2, 5)):
        c.hit(look(at, plain(r.choice(("Zendesk Image Proxy", "Front/1.0", "Amazon CloudFront"))), address(r, CLOUDS)))
        at = visit(r, c, at + ln(r, 15, 0.9, 2), desk(r), site if r.random() < 0.6 else sits(r, HOMES))
        at += ln(r, 400, 1.5, 3)
    return [c]


@family
def h_waiting_room(r: R) -> Scene:
    """Several patients on the clinic's own Wi-Fi, each with his own reminder: one address, within minutes."""
    site, scene = sits(r, OFFICES), []
    for n in range(r.randint(2, 6)):
        c = mail(r, domain=r.choice(("gmail.com", "yahoo.com", "")), message="reminder", delivered=n * ln(r, 1, 1))
        reads(r, c, ln(r, 300, 1.0, 6), phone(r), site)
        scene.append(c)
    return scene


@family
def h_ordinary(r: R) -> Scene:
    """Nothing to tell: any device, any hour, and one in four never presses again after a first look."""
    c, where, one = mail(r), sits(r, (*HOMES, *OFFICES, *CARRIERS)), who(r)
    at = reads(r, c, ln(r, 7000, 1.6, 5), one, where)
    if r.random() < 0.25:
        opened(r, c, at + ln(r, 40000, 1.2), one, where())
    return [c]
