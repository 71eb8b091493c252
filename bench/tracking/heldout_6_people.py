"""People of the sixth held-out set."""

from heldout_6_base import (
    ABROAD,
    AMAZON,
    CAMPUS,
    MAST,
    ORBIT,
    RENTED,
    ROOMS,
    TUNNELS,
    Ask,
    Engine,
    R,
    about,
    age,
    anywhere,
    beside,
    device,
    egress,
    family,
    fixed,
    home_pc,
    iphone,
    letter,
    newsletter,
    office_pc,
    phone,
    picks,
    post,
    press,
    reminder,
    renamed,
    shown,
    sit,
    when,
)
from world import (
    AZURE,
    FILTERS,
    HOMES,
    NOW_CHROME,
    NOW_FIREFOX,
    OFFICES,
    RELAYS,
    Copy,
    Scene,
    chrome,
    firefox,
    safari,
)


@family
def h_plain_home(r: R) -> Scene:
    """Nothing special: a patient, a device, a home or a mast."""
    c = post(r)
    sit(r, c, when(r), device(r), r.choice((fixed, fixed, beside))(r, HOMES, HOMES, MAST))
    return [c]


@family
def h_moving_phone(r: R) -> Scene:
    """On a train or in a car park: mast, Wi-Fi, mast; each network has its own address, a page that stalls is asked anew."""
    c, ask = post(r), phone(r)
    nets = [r.choice((fixed, beside))(r, MAST), fixed(r, HOMES, OFFICES), beside(r, MAST), fixed(r, OFFICES)]
    r.shuffle(nets)
    at, place = when(r), nets[0]
    shown(r, c, at, ask, place)
    at += about(r, 10, 0.7, 1)
    for link in picks(r, c):
        for place in nets[: r.choices((1, 2, 3, 4), (35, 40, 18, 7))[0]]:
            press(c, at, ask, place, link)
            at += about(r, 6, 0.9, 0.8)
        at += about(r, 15, 0.8, 1)
    return [c]


@family
def h_one_roof(r: R) -> Scene:
    """A family behind one address, several with the clinic's letter of the day, some at the same table."""
    roof, dinner, scene = fixed(r, HOMES), about(r, 20000, 0.7, 60), []
    size, kind = r.randint(2, 5), r.choice((reminder, letter, newsletter))
    links = kind(r).links
    for n in range(size):
        c = Copy(links, decoy=r.random() < 0.7, domain=r.choice(("", "family.test")), message="drive",
                 delivered=n * about(r, 0.6, 0.7))  # fmt: skip
        at = dinner + about(r, 60, 1.1) if r.random() < 0.5 else when(r)
        sit(r, c, at, device(r, 0.6), roof)
        scene.append(c)
    return scene


@family
def h_shift_change(r: R) -> Scene:
    """A hospital's staff on few shared PCs: one proxy, the same build of Edge, all in the quarter hour before the shift."""
    proxy, major = egress(r, FILTERS, OFFICES), NOW_CHROME - r.choice((1, 2, 3, 6, 10, 16))
    lang, links = r.choice(("en-US,en;q=0.9", "en-US")), r.randint(1, 5)
    ask: Ask = lambda image: chrome("windows", major, edge=True, site="none", lang=lang, image=image)
    start, scene = about(r, 12000, 0.8, 120), []
    for n in range(r.randint(3, 8)):
        c = Copy(
            links, decoy=r.random() < 0.7, domain="stmary.test", message="policy", delivered=n * r.uniform(0.1, 0.9)
        )
        sit(r, c, start + r.uniform(0, 900), ask, proxy, program=r.choice(("outlook", "blocked", "browser")))
        scene.append(c)
    return scene


@family
def h_relay(r: R) -> Scene:
    """iCloud Private Relay: Safari's presses leave by the relay too, by another exit each time or the same for a while."""
    c, ask = post(r), iphone(r) if r.random() < 0.7 else (lambda image: safari("mac", 26, image=image))
    place = r.choice((fixed, beside, anywhere))(r, RELAYS)
    at = sit(r, c, when(r), ask, place, program=r.choice(("apple", "apple", "apple", "gmail")))
    if r.random() < 0.2:
        sit(r, c, at + about(r, 9000, 1.2), ask, anywhere(r, RELAYS), program="blocked")
    return [c]


@family
def h_tunnel(r: R) -> Scene:
    """A bought VPN in rented racks; now and then it drops and the rest of the reading comes from home or another exit."""
    c, ask = post(r), device(r, 0.45)
    inside, bare = fixed(r, TUNNELS, TUNNELS, RENTED), fixed(r, HOMES, TUNNELS)
    drops = r.random() < 0.25
    at = when(r)
    shown(r, c, at, ask, inside)
    at += about(r, 14, 0.8, 1.2)
    for n, link in enumerate(picks(r, c)):
        press(c, at, ask, bare if drops and n else inside, link)
        at += about(r, 30, 0.8, 1)
    return [c]


@family
def h_careful_browser(r: R) -> Scene:
    """Brave, hardened Firefox, a Tor user: no referrer, one language, sizes and systems made alike."""
    c, kind = post(r), r.random()
    major = NOW_CHROME - r.choice((0, 1, 1, 2))
    if kind < 0.5:
        brand = f'"Chromium";v="{major}", "Brave";v="{major}", "Not_A Brand";v="24"'
        system, phone_ = r.choice((("windows", False), ("mac", False), ("android", True)))
        ask: Ask = lambda image: [*renamed(chrome(system, major, mobile=phone_, lang="en-US,en;q=0.7", image=image),
                                           sec_ch_ua=brand), ("Sec-GPC", "1")]  # fmt: skip
        place = fixed(r, HOMES, TUNNELS)
    elif kind < 0.85:
        kept = r.choice((NOW_FIREFOX, 140))
        ask = lambda image: [*firefox("windows", kept, image=image), ("DNT", "1"), ("Sec-GPC", "1")]
        place = fixed(r, HOMES, TUNNELS, MAST)
    else:
        ask = lambda image: firefox("windows", 140, image=image)
        place = fixed(r, ("185.220.101.{2}", "185.220.100.{2}", "192.42.116.{2}"))
    sit(r, c, when(r), ask, place, program=r.choice(("blocked", "blocked", "thunderbird", "browser")))
    return [c]


@family
def h_screen_reader(r: R) -> Scene:
    """Hears the message: lists its links, goes down them by key, tries several in the order of the page, comes back."""
    c = r.choice((letter, newsletter))(r)
    ask = r.choice((lambda image: firefox("windows", NOW_FIREFOX, image=image), iphone(r), office_pc(r)))
    place, at = fixed(r, HOMES, OFFICES), when(r)
    shown(r, c, at, ask, place)
    at += about(r, 50, 0.7, 8)
    first = r.randint(1, c.links)
    chosen = [n for n in range(first, c.links + 1) if r.random() < 0.6][: r.randint(1, 6)] or [first]
    sit(r, c, at, ask, place, chosen, program="blocked", look=6, gap=r.choice((9, 18, 40)))
    return [c]


@family
def h_sent_on(r: R) -> Scene:
    """Forwarded: to a daughter, a carer, a colleague, who are elsewhere; pictures and links are the first one's copy."""
    c, home = post(r), fixed(r, HOMES)
    at = sit(r, c, when(r), device(r), home)
    for _ in range(r.choices((1, 2, 3, 4), (50, 30, 14, 6))[0]):
        at = sit(r, c, at + about(r, 2500, 1.5, 20), device(r), fixed(r, HOMES, OFFICES, MAST, ABROAD))
    return [c]


@family
def h_delegate(r: R) -> Scene:
    """A manager's mailbox with an assistant in it: both in Outlook, often minutes apart, one office, two machines."""
    c, site = post(r, domain="office.test"), egress(r, OFFICES, FILTERS)
    one, two = office_pc(r), office_pc(r)
    at = sit(r, c, about(r, 900, 1.2, 10), one, site, program="outlook")
    sit(r, c, at + about(r, 600, 1.5, 4), two, site, program="outlook")
    if r.random() < 0.4:
        sit(r, c, at + about(r, 20000, 1.0, 300), iphone(r), fixed(r, HOMES, MAST))
    return [c]


@family
def h_buzz(r: R) -> Scene:
    """Quick: the telephone buzzes, the thumb is there; a code, a confirmation, a video visit that begins now."""
    c, ask = reminder(r), phone(r) if r.random() < 0.85 else home_pc(r)
    place, at = r.choice((fixed, beside))(r, HOMES, MAST), about(r, 6, 0.6, 1.6)
    shown(r, c, at, ask, place)
    press(c, at + about(r, 2.2, 0.5, 0.6), ask, place, 1)
    if r.random() < 0.3:
        press(c, at + about(r, 9, 0.6, 3.5), ask, place, r.randint(1, c.links))
    return [c]


@family
def h_tabs(r: R) -> Scene:
    """Opens what looks good in tabs behind, half a second to some seconds apart, and reads afterwards."""
    c, major = newsletter(r), NOW_CHROME - age(r)
    system = r.choice(("windows", "windows", "mac"))
    ask: Ask = lambda image: chrome(system, major, site="cross-site", image=image)
    place, at = fixed(r, HOMES, OFFICES, CAMPUS), when(r)
    shown(r, c, at, ask, place, r.choice(("browser", "gmail", "yahoo")))
    at += about(r, 9, 0.6, 2)
    pace, wanted = about(r, 3.0, 0.5, 0.9), r.randint(2, max(2, min(6, c.links - 1)))
    for link in sorted(r.sample(range(1, c.links + 1), wanted)):
        press(c, at, ask, place, link)
        at += about(r, pace, 0.5, 0.45)
    return [c]


@family
def h_impatient(r: R) -> Scene:
    """Double clicks, reloads, a satellite link that stalls: the same link several times, from half a second on."""
    c, ask = post(r), device(r)
    place, at = r.choice((fixed, beside))(r, HOMES, ORBIT, MAST), when(r)
    shown(r, c, at, ask, place)
    at += about(r, 11, 0.8, 1)
    link = picks(r, c)[0]
    pace = r.choice((0.35, 1.2, 7))
    for _ in range(r.randint(2, 6)):
        press(c, at, ask, place, link)
        at += about(r, pace, 0.6, 0.12)
        pace *= r.choice((1, 1, 2))
    return [c]


@family
def h_thorough(r: R) -> Scene:
    """Reads a newsletter through and looks at half to all of it, a page at a time, over minutes."""
    c, ask, place = newsletter(r), device(r, 0.4), fixed(r, HOMES, OFFICES)
    share = r.choice((0.4, 0.6, 0.8, 1.0))
    links = [n for n in range(1, c.links + 1) if r.random() < share] or [1]
    sit(r, c, when(r), ask, place, links, look=20, gap=r.choice((18, 35, 70)))
    return [c]


@family
def h_again_and_again(r: R) -> Scene:
    """Keeps the mail as the way to the portal: the same link for weeks, from whatever is at hand."""
    c, devices = reminder(r), [phone(r), home_pc(r)]
    places, link, at = [fixed(r, HOMES), beside(r, MAST), fixed(r, OFFICES)], 1, when(r)
    for _ in range(r.randint(2, 7)):
        at = sit(r, c, at, r.choice(devices), r.choice(places), [link], look=4) + about(r, 90000, 1.3, 120)
    return [c]


@family
def h_published_desktop(r: R) -> Scene:
    """Citrix, WorkSpaces, Cloud PC: a person at a clinic whose browser stands in a data centre, often a little old."""
    c, place = post(r, domain="clinic-group.test"), r.choice((fixed, beside))(r, AZURE[1:3], AMAZON)
    edge, major = r.random() < 0.55, NOW_CHROME - r.choice((0, 1, 1, 2, 4, 8, 14))
    site = r.choice(("none", "none", "cross-site"))
    ask: Ask = lambda image: chrome("windows", major, edge=edge, site=site, image=image)
    sit(r, c, when(r), ask, place, program=r.choice(("outlook", "browser", "blocked")))
    return [c]


@family
def h_left_alone_after_guard(r: R) -> Scene:
    """A gateway swept in the first minutes (a machine, labelled so); the person comes in her own time from the office."""
    c, site = post(r, domain="payer.test"), fixed(r, OFFICES, FILTERS)
    if r.random() < 0.8:
        Engine(r, (ROOMS, AZURE, AMAZON)).sweep(c, about(r, 40, 0.7, 3))
    sit(r, c, max(about(r, 300, 1.2, 60), when(r)), office_pc(r), site, program="outlook")
    return [c]


@family
def h_old_things(r: R) -> Scene:
    """A tablet from ten years ago, a library's terminal, a Windows 7 that will not die."""
    c = post(r)
    ask: Ask = r.choice((
        lambda i: safari("ipad", 12, image=i), lambda i: safari("ipad", 10, image=i), lambda i: safari("iphone", 15, image=i),
        lambda i: chrome("windows7", 109, image=i), lambda i: chrome("android", 119, mobile=True, image=i),
        lambda i: firefox("windows7", 115, image=i), lambda i: chrome("mac", 128, image=i), lambda i: chrome("linux", 138, image=i),
    ))  # fmt: skip
    sit(r, c, when(r), ask, fixed(r, HOMES, MAST, CAMPUS), look=22, gap=45)
    return [c]


@family
def h_abroad(r: R) -> Scene:
    """Travelling: hotel Wi-Fi, a foreign SIM that leaves at home, hours of difference."""
    c, ask = post(r), phone(r)
    place = r.choice((fixed(r, ABROAD), beside(r, MAST), fixed(r, ABROAD)))
    at = sit(r, c, when(r), ask, place)
    if r.random() < 0.5:
        sit(r, c, at + about(r, 40000, 0.8, 600), ask, fixed(r, ABROAD, HOMES))
    return [c]
