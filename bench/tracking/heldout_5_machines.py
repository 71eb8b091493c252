"""Machines of the fifth held-out set, and the people in whose mail they are."""

from world import (
    AZURE,
    CLOUDS,
    GOOGLE,
    HOMES,
    MPP,
    NOW_FIREFOX,
    OFFICES,
    PREFETCH,
    RELAYS,
    VENDORS,
    Copy,
    Scene,
    address,
    plain,
    windows,
)

from heldout_5_base import (
    CARRIERS,
    EGRESS,
    HTML,
    IMESSAGE,
    LIBRARIES,
    MSIE,
    VPNS,
    VPS,
    R,
    bot,
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
    swap,
    sweep,
    visit,
    who,
)


@family
def m_detonation_farm(r: R) -> Scene:
    """A gateway's sandboxes: each link its own job in a queue, so seconds to minutes apart."""
    c, head, where = mail(r), sandbox(r), pool(r, (*CLOUDS, *AZURE, *VENDORS[:1]))
    at = ln(r, 55, 1.0, 3)
    if r.random() < 0.6:
        c.hit(look(at * r.uniform(0.3, 0.95), head(), where(), "machine"))
    again = sweep(r, c, at, head, where, r.choice((0.05, 0.4, 2.5, 12)), decoy=0.6)
    if r.random() < 0.15:
        sweep(r, c, again + ln(r, 300, 1), head, where, 1.5, decoy=0.6, part=0.5)
    return [c]


@family
def m_defender_probe(r: R) -> Scene:
    """Microsoft's filter: bursts with old names, sometimes HEAD before or a spoilt address beside; rescans by night."""
    c, where, old = mail(r), pool(r, AZURE), r.random() < 0.5
    at, name = ln(r, 45, 0.8, 4), r.choice(MSIE)
    head = (lambda: plain(name, accept=HTML, coding="gzip, deflate")) if old else sandbox(r)
    if r.random() < 0.25:
        sweep(r, c, at - ln(r, 1.0, 0.5), head, where, 0.03, decoy=0.7, method="HEAD")
    if r.random() < 0.3:
        c.hit(bot(at + r.uniform(-0.4, 0.4), head(), where(), r.randint(1, c.links), altered=True))
    sweep(r, c, at, head, where, ln(r, 0.08, 1.0), decoy=0.7)
    if r.random() < 0.3:
        sweep(r, c, ln(r, 5 * 3600, 0.9), head, where, 0.3, decoy=0.7, part=r.choice((0.3, 1.0)))
    if r.random() < 0.4:
        reads(r, c, ln(r, 5400, 1.4, 120), desk(r), sits(r, OFFICES))
    return [c]


@family
def m_late_rescan(r: R) -> Scene:
    """Looks at delivered mail again hours and days later, a link or two at a time, mostly after a first sweep."""
    c, head, where = mail(r), sandbox(r), pool(r, (*CLOUDS, *AZURE, *VENDORS))
    if r.random() < 0.7:
        sweep(r, c, ln(r, 30, 0.8, 2), head, where, 0.3, decoy=0.5)
    at = 0.0
    for _ in range(r.choice((1, 1, 2, 3))):
        at += ln(r, 14 * 3600, 1.0, 900)
        sweep(r, c, at, head, where, r.choice((0.2, 5, 60)), decoy=0.4, part=r.choice((0.15, 0.5, 1.0)))
    return [c]


@family
def m_clicktime_check(r: R) -> Scene:
    """A rewriting gateway fetches the target while the person waits, then lets the person's own browser through."""
    c, where, site = mail(r), pool(r, (*VENDORS, *CLOUDS, *AZURE)), sits(r, (*OFFICES, *HOMES))
    one, at, library = who(r, 0.35), ln(r, 4000, 1.6, 20), r.choice(LIBRARIES)
    head = sandbox(r) if r.random() < 0.6 else (lambda: plain(library or r.choice(MSIE), coding="gzip"))
    reads(r, c, at, one, site)
    for event in [e for e in c.events if e.kind == "click"]:
        if r.random() < 0.85:
            c.hit(bot(event.at - ln(r, 1.2, 0.7, 0.15), head(), where(), event.link, r.choice(("GET", "GET", "HEAD"))))
    return [c]


@family
def m_chat_unfurl(r: R) -> Scene:
    """A link pasted into a chat: the service or the sender's own telephone draws its card, then friends press it."""
    c, home, at = mail(r), sits(r, HOMES), ln(r, 7200, 1.5, 60)
    link = r.randint(1, c.links)
    visit(r, c, at, who(r), home, [link])
    at += ln(r, 60, 0.9, 8)
    bots: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", CLOUDS[:3]),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com", AZURE),
        ("WhatsApp/2.24.20.89 A", (home(),)),
        (IMESSAGE, (home(),)),
        (
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            ("173.252.{1}.{2}", "69.171.{1}.{2}"),
        ),
        ("TelegramBot (like TwitterBot)", ("149.154.161.{2}",)),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", CLOUDS[3:5]),
        ("Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)", GOOGLE),
    )
    name, nets = r.choice(bots)
    for _ in range(r.choice((1, 1, 2))):
        c.hit(bot(at, plain(name, accept=r.choice(("*/*", HTML)), coding="gzip"), address(r, nets), link))
        at += ln(r, 0.8, 0.8)
    for _ in range(r.choice((0, 1, 1, 2, 4))):
        at += ln(r, 90, 1.3, 2)
        visit(r, c, at, who(r, 0.75), sits(r, (*HOMES, *CARRIERS)), [link])
    return [c]


@family
def m_mail_assistant(r: R) -> Scene:
    """A digest or answering service reads the mailbox and follows what it finds to sum it up."""
    c, where = mail(r), pool(r, CLOUDS)
    named = r.choice(
        ("Mozilla/5.0 (compatible; ChatGPT-User/1.0; +https://openai.com/bot)", *LIBRARIES[:8], windows("124.0.0.0"))
    )
    head = sandbox(r) if r.random() < 0.45 else (lambda: plain(named, accept=HTML, coding="gzip, deflate"))
    part, at = r.choice((0.25, 0.5, 1.0)), ln(r, 40, 1.3, 2)
    sweep(r, c, at, head, where, r.choice((0.15, 1.5, 6)), decoy=0.35, part=part)
    if r.random() < 0.3:
        reads(r, c, ln(r, 9000, 1.2, 300), who(r), sits(r, HOMES))
    return [c]


@family
def m_archiver(r: R) -> Scene:
    """Journalling with link capture: a batch some hours later, at a polite pace."""
    c, where, at = mail(r), pool(r, (*VPS, *CLOUDS)), r.uniform(1, 22) * 3600
    name = r.choice(
        (
            "Wget/1.21.4",
            "Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)",
            windows("120.0.0.0"),
        )
    )
    head = sandbox(r) if r.random() < 0.5 else (lambda: plain(name, accept=HTML, coding="identity"))
    if r.random() < 0.5:
        c.hit(look(at - ln(r, 5, 0.7), head(), where(), "machine"))
    sweep(r, c, at, head, where, r.choice((1, 3, 8, 20)), decoy=0.5)
    return [c]


@family
def m_antivirus_client(r: R) -> Scene:
    """A mail shield or link adviser on the reader's own computer: same address as the person, other headers."""
    c, home, one, at = mail(r), sits(r, (*HOMES, *HOMES, *OFFICES)), desk(r), ln(r, 3600, 1.6, 30)
    name = r.choice(
        (
            "",
            "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)",
            "Mozilla/5.0",
            "avast! Antivirus",
            windows("87.0.4280.88"),
        )
    )
    method = r.choice(("GET", "GET", "HEAD"))
    head = lambda: plain(name, accept=r.choice(("*/*", "")))  # noqa: E731
    sweep(r, c, at - ln(r, 6, 1.0), head, home, r.choice((0.03, 0.2, 0.8)), decoy=0.5, method=method)
    if r.random() < 0.7:
        reads(r, c, at, one, home)
    return [c]


@family
def m_uptime_watch(r: R) -> Scene:
    """Somebody put a link he was sent into a monitor, an automation or a bookmark checker: asked for on a clock."""
    c, where, one = mail(r), pool(r, (*VPS, *CLOUDS)), who(r)
    names = ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "Zapier", windows("108.0.0.0"))
    names += (
        "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
        "Better Stack Better Uptime Bot Mozilla/5.0",
        *LIBRARIES[:5],
    )
    name, method, link = r.choice(names), r.choice(("GET", "GET", "HEAD")), r.randint(1, c.links)
    at = reads(r, c, ln(r, 3600, 1.2, 60), one, sits(r, HOMES)) + ln(r, 600, 1.0)
    period, beats = r.choice((60, 300, 900, 3600, 86400)), r.randint(2, 9)
    for n in range(beats):
        c.hit(bot(at + n * period + r.gauss(0, 0.6), plain(name, coding="gzip"), where(), link, method))
    return [c]


@family
def m_browser_prefetch(r: R) -> Scene:
    """The reader's own browser or mail app fetches ahead, and says so; the person may press later and ask anew."""
    c, home, one, at = mail(r), sits(r, (*HOMES, *CARRIERS)), who(r, 0.4), ln(r, 2500, 1.6, 15)
    opened(r, c, at, one, home())
    why = r.choice(
        (
            ("Sec-Purpose", "prefetch"),
            ("Sec-Purpose", "prefetch;prerender"),
            ("Purpose", "prefetch"),
            ("X-Moz", "prefetch"),
        )
    )
    for link in r.sample(range(1, c.links + 1), min(c.links, r.choice((1, 1, 2, 3)))):
        ahead = at + ln(r, 8, 1.0)
        c.hit(bot(ahead, [*swap(one(False), sec_fetch_user=""), why], home(), link))
        if r.random() < 0.4:
            visit(r, c, ahead + ln(r, 3, 1.2, 0.3), one, home, [link])
    return [c]


@family
def m_mailbox_preview(r: R) -> Scene:
    """A mailbox service draws a card of the first link or checks each for phishing, on arrival."""
    c, at = mail(r), ln(r, 7, 1.0, 0.3)
    names = ("Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "Google-Safety", "Spark/3 LinkPreview")
    names += (
        "BingPreview/1.0b",
        "Mozilla/5.0 (compatible; Linux x86_64; Mail.RU_Bot/2.1)",
        windows("98.0.4758.102"),
        MPP,
    )
    name = r.choice(names)
    nets = GOOGLE if name.startswith("Google") else AZURE if name.startswith("Bing") else CLOUDS
    sweep(
        r,
        c,
        at,
        lambda: plain(name, accept=HTML, coding="gzip"),
        pool(r, nets),
        0.2,
        decoy=0.2,
        part=r.choice((0.2, 1.0)),
    )
    if r.random() < 0.6:
        reads(r, c, at + ln(r, 5000, 1.5, 5), who(r), sits(r, HOMES))
    return [c]


@family
def m_proxy_echo(r: R) -> Scene:
    """A web filter that rates pages: fetches once more, from elsewhere, what a member of staff has just fetched."""
    c, where, site = mail(r), pool(r, (*CLOUDS, *AZURE, *VPS)), sits(r, (*OFFICES, *EGRESS))
    one, delay = desk(r), ln(r, 12, 1.2, 0.4)
    name = r.choice(("", *MSIE, "Mozilla/5.0 (X11; Linux x86_64; rv:52.0) Gecko/20100101 Firefox/52.0"))
    head, copies = sandbox(r), r.random() < 0.4
    reads(r, c, ln(r, 3000, 1.5, 20), one, site)
    for event in [e for e in c.events if e.kind == "click"]:
        if r.random() < 0.8:
            c.hit(bot(event.at + ln(r, delay, 0.5, 0.2), head() if copies else plain(name), where(), event.link))
    return [c]


@family
def m_reported_phish(r: R) -> Scene:
    """A reader pressed "report": the copy goes through a desk's tools, several services within the hour."""
    c, at = mail(r), ln(r, 5400, 1.4, 120)
    for _ in range(r.choice((1, 2, 2, 3, 4))):
        named = r.random() < 0.3
        name = r.choice(("AppEngine-Google; (+http://code.google.com/appengine; appid: s~virustotalcloud)", *LIBRARIES))
        head = (lambda n: lambda: plain(n, accept="*/*", coding="gzip"))(name) if named else sandbox(r)
        sweep(
            r, c, at, head, pool(r, (*VPS, *CLOUDS, *VPNS)), r.choice((0.1, 1, 9)), decoy=0.45, part=r.choice((0.4, 1))
        )
        if r.random() < 0.2:
            c.hit(bot(at + 1, head(), address(r, VPS), altered=True))
        at += ln(r, 240, 1.2)
    return [c]


@family
def m_home_exit_scan(r: R) -> Scene:
    """A scanner that leaves through rented home lines, so that no phisher hides from it. Rare, and hard by nature."""
    c, lines, own = mail(r, 0.25), pool(r, (*HOMES, *CARRIERS)), phone(r)
    head = sandbox(r) if r.random() < 0.7 else (lambda: own(False))
    at, gap = ln(r, 70, 0.9, 4), r.choice((0.3, 2, 7))
    sweep(r, c, at, head, lines, gap, decoy=0.5, part=r.choice((1.0, 1.0, 0.5)))
    return [c]


@family
def m_list_appliance(r: R) -> Scene:
    """One mailing to several at a practice with its own appliance: it and the staff share an address."""
    site, name, head = address(r, OFFICES), r.choice(("", *MSIE)), sandbox(r)
    old, start, scene = r.random() < 0.5, ln(r, 12, 0.9, 0.5), []
    links, gap = mail(r).links, r.choice((0.05, 0.3, 1.2))
    for n in range(r.randint(2, 6)):
        c = Copy(links, decoy=r.random() < 0.7, domain="practice.test", message="m1", delivered=n * ln(r, 0.7, 0.8))
        at = ln(r, start, 0.4, 0.1)
        sweep(r, c, at, (lambda: plain(name, accept=HTML)) if old else head, lambda: site, gap, decoy=0.5)
        if r.random() < 0.6:
            reads(r, c, at + ln(r, 2400, 1.5, 20), desk(r), lambda: site)
        scene.append(c)
    return scene


@family
def m_smtp_time(r: R) -> Scene:
    """A small appliance that looks during the session, before or just after it says 250."""
    c, at, name = mail(r), r.choice((-1, 1, 1)) * ln(r, 1.5, 0.9), r.choice((*LIBRARIES, *MSIE))
    head = (lambda: plain(name, accept="*/*")) if r.random() < 0.7 else sandbox(r)
    where = pool(r, (*OFFICES, *VPS, *VENDORS))
    sweep(r, c, at, head, where, r.choice((0.02, 0.1, 0.5)), decoy=0.6, method=r.choice(("GET", "GET", "GET", "HEAD")))
    if r.random() < 0.4:
        reads(r, c, ln(r, 3600, 1.4, 30), who(r), sits(r, OFFICES))
    return [c]


@family
def m_shared_feed(r: R) -> Scene:
    """A link from the mail got into a feed of new addresses: partners' crawlers come one by one for days."""
    c, at = mail(r), ln(r, 900, 1.0, 60)
    link = r.randint(1, c.links)
    for _ in range(r.randint(2, 7)):
        head = (
            sandbox(r)
            if r.random() < 0.6
            else (lambda n: lambda: plain(n, coding="gzip"))(r.choice((*LIBRARIES, *MSIE)))
        )
        c.hit(bot(at, head(), address(r, (*VPS, *CLOUDS, *VPNS)), link))
        at += ln(r, 3000, 1.6)
    return [c]


@family
def m_image_warmers(r: R) -> Scene:
    """Services that fetch pictures on arrival or on no account of a reader; a person comes later, or does not."""
    c, at = mail(r), ln(r, 20, 1.5, 0.5)
    name = r.choice((f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/{NOW_FIREFOX - 20}.0",
                     "FastmailImageProxy/1.0", "github-camo (c5e5f3a1)", MPP, PREFETCH))  # fmt: skip
    note = {MPP: "mpp", PREFETCH: "prefetch"}.get(name, "")
    nets = {MPP: RELAYS, PREFETCH: GOOGLE}.get(name, ("185.70.{1}.{2}", "103.168.172.{2}", *CLOUDS))
    c.hit(look(at, plain(name, accept="image/*,*/*;q=0.8"), address(r, nets), "machine", note))
    if r.random() < 0.6:
        visit(r, c, at + ln(r, 9000, 1.4, 20), who(r, 0.6), sits(r, (*HOMES, *CARRIERS)))
    return [c]
