"""Machines of the sixth held-out set, some with people who read later."""

from heldout_6_base import (
    AMAZON,
    DATED,
    MAST,
    PAGE,
    PICTURE,
    RENTED,
    ROOMS,
    SCRIPTS,
    TUNNELS,
    Ask,
    Engine,
    R,
    about,
    age,
    anywhere,
    beside,
    browser,
    device,
    egress,
    family,
    fixed,
    home_pc,
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
    CLOUDS,
    FILTERS,
    GOOGLE,
    HOMES,
    MPP,
    NOW_CHROME,
    OFFICES,
    PREFETCH,
    RELAYS,
    VENDORS,
    Copy,
    Event,
    Scene,
    address,
    chrome,
    plain,
)


def later_reader(r: R, c: Copy, chance: float, least: float = 90) -> None:
    if r.random() < chance:
        sit(
            r,
            c,
            max(least * r.uniform(1, 3), when(r)),
            r.choice((office_pc, phone))(r),
            fixed(r, OFFICES, HOMES, FILTERS),
        )


@family
def m_inline_gateway(r: R) -> Scene:
    """Scans while the session is held or just after: some of it before the 250."""
    c, one = post(r, domain="hospital.test"), Engine(r, (ROOMS, VENDORS, AMAZON, OFFICES), honest=0.35)
    at = r.choice((-about(r, 3, 0.8, 0.2, 25), about(r, 1.0, 0.8, 0.05), about(r, 8, 0.7)))
    one.sweep(c, at, pace=min(one.pace, 0.4))
    later_reader(r, c, 0.4)
    return [c]


@family
def m_minute_after(r: R) -> Scene:
    """The published campaign: every link in one sub-second sweep, most 20 s to 5 min after delivery, a picture before it."""
    c, one = post(r, domain="tenant.test"), Engine(r, (AZURE, AZURE, ROOMS))
    start = r.choices((r.uniform(2, 20), r.uniform(20, 60), r.uniform(60, 300), about(r, 900, 0.4), about(r, 9000, 0.6)),
                      (3, 66, 28, 2, 1))[0]  # fmt: skip
    if r.random() < 0.9:
        one.look(c, max(0.5, start - about(r, 33, 0.4)))
    one.pictures = False
    one.sweep(c, start, pace=r.choice((0.005, 0.03, 0.08)))
    later_reader(r, c, 0.35, start + 30)
    return [c]


@family
def m_defender_odd(r: R) -> Scene:
    """Microsoft's probes: old Chrome, spoilt tokens beside true ones, HEAD before GET, from neighbouring addresses."""
    c, one = (
        post(r, domain="tenant.test"),
        Engine(r, (("40.94.{1}.{2}", "40.107.{1}.{2}", "104.47.{1}.{2}"), AZURE), honest=0.0, dated=0.6),
    )
    at = about(r, 50, 0.8, 3)
    for link in one.plan(c):
        if r.random() < 0.35:
            one.hit(c, at - r.uniform(0, 0.6), link or 1, altered=True)
        if r.random() < 0.25:
            one.method = "HEAD"
            one.hit(c, at - r.uniform(0, 0.4), link)
            one.method = "GET"
        one.hit(c, at, link)
        at += about(r, 0.15, 0.9)
    if r.random() < 0.3:
        one.sweep(c, about(r, 4 * 3600, 0.8), part=0.5)
    later_reader(r, c, 0.4, at + 20)
    return [c]


@family
def m_api_guard(r: R) -> Scene:
    """Looks at delivered mail through the mailbox's API: minutes after, only the links it finds odd, in a cloud Chromium."""
    c, one = post(r, domain="tenant.test"), Engine(r, (AMAZON, CLOUDS[3:5], RENTED), honest=0.15, dated=0.1)
    one.sweep(c, about(r, 200, 0.9, 15), part=r.choice((0.2, 0.5, 1.0)), pace=r.choice((0.5, 4, 20)))
    later_reader(r, c, 0.4)
    return [c]


@family
def m_press_time(r: R) -> Scene:
    """Time-of-click protection: when the person presses the rewritten link, the vendor fetches first, then lets go."""
    c, one = post(r, domain="tenant.test"), Engine(r, (ROOMS, VENDORS, AMAZON), honest=0.4)
    sit(r, c, when(r), office_pc(r) if r.random() < 0.7 else phone(r), fixed(r, OFFICES, HOMES, MAST))
    for event in [e for e in c.events if e.kind == "click"]:
        if r.random() < 0.85:
            one.hit(c, event.at - about(r, 0.9, 0.6, 0.1), event.link)
        if r.random() < 0.2:
            one.hit(c, event.at + about(r, 15, 0.9, 1), event.link)
    return [c]


@family
def m_chat_cards(r: R) -> Scene:
    """The reader pastes a link into a chat; the service draws a card, often several of its servers at once; friends press."""
    c, home, at = post(r), fixed(r, HOMES), when(r)
    link = picks(r, c)[0]
    sit(r, c, at, phone(r), home, [link])
    at += about(r, 90, 0.9, 12)
    name, place = r.choice((
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", anywhere(r, AMAZON)),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", beside(r, CLOUDS[3:5])),
        ("TelegramBot (like TwitterBot)", beside(r, ("149.154.161.{2}", "91.108.5.{2}"))),
        ("WhatsApp/2.25.3.77 A", home), ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
                                         beside(r, ("69.171.249.{2}", "173.252.87.{2}"))),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com", anywhere(r, AZURE)),
        ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", beside(r, ("108.174.5.{2}",))),
        ("Mozilla/5.0 (compatible; Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/))", anywhere(r, GOOGLE)),
    ))  # fmt: skip
    for n in range(r.randint(1, 3)):
        c.hit(Event(at + n * about(r, 0.7, 0.8), "machine", "click", plain(name, accept="*/*", coding="gzip"), place(), link=link,
                    method=r.choices(("GET", "HEAD"), (85, 15))[0]))  # fmt: skip
    for _ in range(r.choice((0, 1, 2, 3))):
        at += about(r, 400, 1.3, 5)
        press(c, at, device(r, 0.75), fixed(r, HOMES, MAST, OFFICES), link)
    return [c]


@family
def m_archive(r: R) -> Scene:
    """An archive that stores what mail points to: hours later, politely, each link once, at an even pace."""
    c = r.choice((letter, newsletter, reminder))(r)
    one = Engine(r, (AMAZON, RENTED, OFFICES, AZURE), honest=0.3, dated=0.15)
    if r.random() < 0.4:
        name = r.choice(("Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)",
                         "Mozilla/5.0 (compatible; heritrix/3.4.0 +https://records.example)", "MailArchiveCrawler/2.1"))  # fmt: skip
        one.ask = lambda image: plain(name, accept="*/*", coding="gzip")
    pace, at = r.choice((2, 5, 10, 30)), about(r, 3 * 3600, 1.1, 120)
    for link in one.plan(c):
        one.hit(c, at, link)
        at += pace * r.uniform(0.95, 1.1)
    if r.random() < 0.5:
        sit(r, c, when(r), office_pc(r), fixed(r, OFFICES))
    return [c]


@family
def m_detonation(r: R) -> Scene:
    """Sandboxes: each link in its own machine, two or three of them with other systems and places, the page waited for."""
    c, one = post(r), Engine(r, (AMAZON, AZURE, RENTED), honest=0.05, dated=0.15)
    boxes = [(browser(r), egress(r, AMAZON, AZURE, RENTED, TUNNELS)) for _ in range(r.randint(1, 3))]
    at, step = about(r, 100, 0.9, 6), r.choice((1, 6, 25))
    for link in one.plan(c):
        for ask, place in boxes if r.random() < 0.6 else boxes[:1]:
            one.hit(c, at + about(r, 4, 1.0), link, ask=ask, place=place)
        at += about(r, step, 0.8)
    later_reader(r, c, 0.3)
    return [c]


@family
def m_mobile_mask(r: R) -> Scene:
    """Servers that play telephones, to see what telephones are shown: the name is right, hints or the rest not always."""
    c, one, kind = post(r), Engine(r, (AMAZON, CLOUDS, RENTED, AZURE)), r.random()
    major = NOW_CHROME - r.choice((0, 2, 8, 20, 36))
    if kind < 0.35:
        own = f"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Mobile Safari/537.36"
        one.ask = lambda image: renamed(chrome("linux", major, user=False, image=image), user_agent=own)
    elif kind < 0.6:
        own = "Mozilla/5.0 (iPhone; CPU iPhone OS 13_2_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0.3 Mobile/15E148 Safari/604.1"
        one.ask = lambda image: renamed(chrome("linux", major, user=False, image=image), user_agent=own)
    elif kind < 0.8:
        own = r.choice(("Mozilla/5.0 (Linux; Android 6.0; Nexus 5 Build/MRA58N) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Mobile Safari/537.36",
                        "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1"))  # fmt: skip
        one.ask = lambda image: plain(own, accept=PAGE, coding="gzip, deflate", lang=r.choice(("", "en-US")))
    else:
        one.ask = lambda image: chrome("android", major, mobile=True, image=image)
    one.sweep(c, r.choice((about(r, 60, 0.8, 5), about(r, 4000, 1.0))), pace=r.choice((0.05, 1.5, 8)))
    later_reader(r, c, 0.3)
    return [c]


@family
def m_rounds(r: R) -> Scene:
    """Delayed rescans on a schedule: after an hour, six, a day, a week; all or some of the links, the engine as before."""
    c, one = post(r, domain="tenant.test"), Engine(r, (AZURE, AMAZON, ROOMS))
    if r.random() < 0.6:
        one.sweep(c, about(r, 45, 0.7, 3))
    for due in r.choice(((3600,), (3600, 21600), (21600, 86400), (86400, 604800), (900, 3600, 86400))):
        one.sweep(c, due * r.uniform(1.0, 1.08), part=r.choice((0.4, 1.0)), pace=r.choice((0.1, 1, 6)))
    later_reader(r, c, 0.4, 400)
    return [c]


@family
def m_scattered(r: R) -> Scene:
    """A distributed clicker: each link from another cloud under another name, spread over a minute or some."""
    c, one = r.choice((letter, newsletter))(r), Engine(r, (CLOUDS, AZURE))
    places, span = anywhere(r, AMAZON, AZURE, RENTED, TUNNELS, CLOUDS), about(r, 45, 0.9, 3)
    start = about(r, 40, 1.0, 2)
    for link in one.plan(c, r.choice((0.7, 1.0))):
        one.hit(c, start + r.uniform(0, span), link, ask=browser(r), place=places)
    later_reader(r, c, 0.3)
    return [c]


@family
def m_through_homes(r: R) -> Scene:
    """A clicker that leaves by rented home lines in part. One such hit with a whole browser cannot be told from a person;
    that it takes all links in a minute, or none after delivery, sometimes can."""
    c, one = post(r), Engine(r, (HOMES, MAST))
    one.ask, one.pictures = browser(r, ("windows", "mac")), r.random() < 0.4
    clouds = anywhere(r, AMAZON, RENTED)
    at = about(r, 70, 0.9, 4)
    for link in one.plan(c):
        one.hit(c, at, link, place=clouds if r.random() < 0.35 else anywhere(r, HOMES, MAST))
        at += about(r, r.choice((0.3, 2, 9)), 0.6)
    return [c]


@family
def m_picture_proxies(r: R) -> Scene:
    """Pictures fetched at delivery or in bulk by services, not on anybody's looking; a person presses later, or not."""
    c, at = post(r), about(r, 8, 1.3, 0.2)
    kind = r.random()
    if kind < 0.3:
        c.hit(
            Event(
                at * 20,
                "machine",
                "open",
                plain(MPP, accept="*/*", coding="gzip, deflate, br"),
                address(r, RELAYS),
                note="mpp",
            )
        )
    elif kind < 0.45:
        c.hit(
            Event(
                about(r, 1.3, 0.5, 0.2),
                "machine",
                "open",
                plain(PREFETCH, accept=PICTURE),
                address(r, GOOGLE),
                note="prefetch",
            )
        )
    else:
        name = r.choice(("DuckDuckGo-Email-Image-Proxy", "Mozilla/5.0 (compatible; HEY Mail image proxy)", "FastmailImageProxy/1.0",
                         "Go-http-client/2.0", "github-camo (1f2e3d4c)", "Mailspring-Image-Cache/1.4", ""))  # fmt: skip
        c.hit(
            Event(
                at,
                "machine",
                "open",
                plain(name, accept="image/*", coding="gzip"),
                address(r, r.choice((AMAZON, RENTED, CLOUDS))),
            )
        )
    if r.random() < 0.6:
        sit(r, c, when(r) + 30, device(r), fixed(r, HOMES, MAST), program="blocked")
    return [c]


@family
def m_reported(r: R) -> Scene:
    """A reader reports the mail as phishing: the security desk's playbook fetches links, then feeds and their subscribers."""
    c, one = post(r, domain="bank.test"), Engine(r, (AMAZON, RENTED, AZURE), honest=0.4)
    at = when(r)
    shown(r, c, at, office_pc(r), fixed(r, OFFICES), "outlook")
    at = one.sweep(c, at + about(r, 300, 0.8, 20), pace=r.choice((0.2, 3)))
    for _ in range(r.randint(0, 5)):
        at += about(r, 500, 1.4, 3)
        scripted = r.choice(SCRIPTS)
        ask = browser(r) if r.random() < 0.6 else (lambda s: lambda image: plain(s, coding="gzip"))(scripted)
        one.hit(c, at, r.randint(1, c.links), ask=ask, place=anywhere(r, RENTED, TUNNELS, CLOUDS))
    return [c]


@family
def m_endpoint(r: R) -> Scene:
    """An antivirus on the reader's own PC checks the link as she presses it: her address, a library's or an old name."""
    c, place, name = post(r), fixed(r, HOMES, OFFICES), r.choice((*SCRIPTS, *DATED[3:5]))
    sit(r, c, when(r), home_pc(r), place, program=r.choice(("outlook", "thunderbird", "gmail", "browser")))
    method = r.choices(("GET", "HEAD"), (70, 30))[0]
    for event in [e for e in c.events if e.kind == "click"]:
        c.hit(Event(event.at + r.choice((-1, 1, 1)) * about(r, 0.5, 0.7, 0.05), "machine", "click",
                    plain(name, accept="*/*", coding="gzip"), place(), link=event.link, method=method))  # fmt: skip
    return [c]


@family
def m_fetch_ahead(r: R) -> Scene:
    """The reader's browser or mail program fetches ahead and says so; the press itself may follow."""
    c, place, major = post(r), fixed(r, HOMES, MAST, OFFICES), NOW_CHROME - age(r)
    system = r.choice(("windows", "windows", "mac"))
    mark = r.choice((("Sec-Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "prefetch"),
                     ("X-Purpose", "preview")))  # fmt: skip
    ask: Ask = lambda image: chrome(system, major, site="cross-site", image=image)
    at = when(r)
    shown(r, c, at, ask, place)
    for link in picks(r, c):
        at += about(r, 9, 0.7, 1)
        c.hit(Event(at, "machine", "click", [*ask(False), mark], place(), link=link))
        if r.random() < 0.6:
            press(c, at + about(r, 2, 0.8, 0.3), ask, place, link)
    return [c]


@family
def m_assistant(r: R) -> Scene:
    """A summariser or agent that reads the mailbox for its owner and opens what it points to, soon or by the hour."""
    c, one = post(r), Engine(r, (AMAZON, AZURE, CLOUDS[3:5]), honest=0.3, dated=0.0)
    if r.random() < 0.4:
        name = r.choice(("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ChatGPT-User/1.0; +https://openai.com/bot)",
                         "Mozilla/5.0 (compatible; MailAgent/0.9; +https://agent.example)", "Claude-User/1.0 (+https://agent.example)"))  # fmt: skip
        one.ask = lambda image: plain(name, accept=PAGE, coding="gzip, br")
    one.bait = r.choice((0.0, 0.0, 0.3))
    at = r.choice((about(r, 30, 0.8, 3), about(r, 3600, 0.7, 60)))
    one.sweep(c, at, part=r.choice((0.3, 0.7)), pace=r.choice((1, 5)))
    later_reader(r, c, 0.5)
    return [c]


@family
def m_whole_practice(r: R) -> Scene:
    """One mailing to a practice: its gateway takes each copy as it comes, a pool of workers; some staff read later."""
    engine, scene = Engine(r, (ROOMS, AZURE, AMAZON, VENDORS)), []
    links, start, step = post(r).links, about(r, 25, 0.9, 0.5), r.choice((0.3, 2, 15))
    for n in range(r.randint(2, 7)):
        c = Copy(
            links, decoy=r.random() < 0.7, domain="practice.test", message="mailing", delivered=n * about(r, step, 0.5)
        )
        if r.random() < 0.9:
            engine.sweep(c, about(r, start, 0.3, 0.2))
        later_reader(r, c, 0.4)
        scene.append(c)
    return scene


@family
def m_one_link_probe(r: R) -> Scene:
    """Mail with one button and nothing else; the scanner takes it once, in a good browser, from a cloud or its own rooms."""
    c, one = Copy(1, decoy=r.random() < 0.7), Engine(r, (ROOMS, AZURE, AMAZON, RENTED), honest=0.15, dated=0.25)
    one.sweep(c, r.choice((about(r, 15, 0.7, 1), about(r, 90, 0.8, 5), about(r, 1800, 0.8))))
    later_reader(r, c, 0.5)
    return [c]


@family
def m_twice_seen(r: R) -> Scene:
    """Mail passes two guards in a row, of the sender's partner and of the house, each with its own engine; then the reader."""
    c = post(r, domain="partner.test")
    end = Engine(r, (ROOMS, VENDORS)).sweep(c, about(r, 6, 0.8, 0.2))
    Engine(r, (AZURE, AMAZON)).sweep(c, max(end, 0) + about(r, 40, 0.8, 1))
    later_reader(r, c, 0.5)
    return [c]
