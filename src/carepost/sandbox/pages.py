"""The viewer's pages as HTML text. No script, nothing from elsewhere; titles name no person."""

import datetime
from html import escape

from carepost.ground import clock
from carepost.sandbox import reading
from carepost.sandbox.domains import ALL, DOMAINS, ORGANISATION, Domain
from carepost.sandbox.store import Counters, Kind, Mail, Store

BASE = "/sandbox"

#: mails of one mailbox, and mailboxes of one domain, that a page lists
LISTED = 200

KINDS = {Kind.MESSAGE: "Message", Kind.NOTICE: "Notice", Kind.BOUNCE: "Delivery report"}


def when(us: int) -> str:
    moment = datetime.datetime.fromtimestamp(us / 1_000_000, datetime.UTC)
    return f'<time datetime="{moment.isoformat(timespec="seconds")}">{moment:%Y-%m-%d %H:%M:%S} UTC</time>'


def counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def arrival(mail: Mail) -> str:
    """How it came, in words and never by colour alone."""
    if mail.tls is None:
        return '<span class="tag clear">Arrived in clear, no TLS</span>'
    return f'<span class="tag safe">Arrived over {escape(mail.tls.version.replace("TLSv", "TLS "))}</span>'


def page(title: str, body: str, crumbs: tuple[tuple[str, str], ...] = (), heading: str = "") -> bytes:
    """`heading`: what the page is headed with when that names a person, which a title never does (law 10)."""
    trail = "".join(f'<li><a href="{href}">{escape(text)}</a></li>' for href, text in crumbs)
    nav = f'<nav aria-label="Where you are"><ol>{trail}</ol></nav>' if trail else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Carepost sandbox</title>
<link rel="stylesheet" href="{BASE}/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="banner"><strong>Sandbox.</strong> Every person here is invented, and no mail leaves this computer.
</header>
<main id="main">
{nav}
<h1>{escape(heading or title)}</h1>
{body}
</main>
</body>
</html>
""".encode()


def index(store: Store, token: dict[str, str]) -> bytes:
    """`token`: address -> the opaque name of its mailbox page."""
    boxes = store.mailboxes()
    shown = [d for d in ALL if d in DOMAINS or d.name == ORGANISATION or _boxes_of(d, boxes)]
    rows = "".join(_domain_row(domain, _boxes_of(domain, boxes), store, token) for domain in shown)
    empty = ""
    if not boxes:
        empty = """<p class="empty">No mail has arrived yet. Send a message to any address below, for example
<code>testina@verified.test</code>, and reload this page.</p>"""
    lost = f"<p>{counted(store.forgotten, 'older mail')} no longer kept.</p>" if store.forgotten else ""
    columns = ("Domain", "Mailboxes", "Messages", "Notices", "Messages in clear")
    head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in columns)
    body = f"""<p>What each recipient's mail system received: {counted(store.received, "mail")},
as of {when(clock.now())}.
<a class="action" href="{BASE}/">Reload</a></p>
{empty}{lost}
<table class="stack" role="table">
<caption class="hidden">Domains of the sandbox and the mailboxes in them</caption>
<thead role="rowgroup"><tr role="row">{head}</tr></thead>
<tbody role="rowgroup">{rows}</tbody>
</table>"""
    return page("Sandbox mailboxes", body)


def _boxes_of(domain: Domain, boxes: dict[str, list[Mail]]) -> dict[str, list[Mail]]:
    return {address: mails for address, mails in boxes.items() if mails[0].domain == domain.name}


def _domain_row(domain: Domain, boxes: dict[str, list[Mail]], store: Store, token: dict[str, str]) -> str:
    counters = store.counters.get(domain.name, Counters())
    links = "".join(
        f'<li><a href="{BASE}/mailboxes/{token[address]}">{escape(address)}</a> '
        f"<span>{counted(len(mails), 'mail')}</span></li>"
        for address, mails in list(boxes.items())[:LISTED]
    )
    if len(boxes) > LISTED:
        links += f"<li>and {len(boxes) - LISTED:,} more</li>"
    listed = f'<ul class="plain">{links}</ul>' if links else '<span class="quiet">nothing yet</span>'
    clear = f"{counters.clear_message_bytes:,} bytes" if counters.clear_message_bytes else "none"
    cells = (
        ("Mailboxes", listed),
        ("Messages", f"{counters.messages:,}"),
        ("Notices", f"{counters.notices:,}"),
        ("Messages in clear", clear),
    )
    head = f'{escape(domain.name)}<span class="offers">{escape(domain.offers)}</span>'
    row = "".join(f'<td role="cell" data-label="{label}">{value}</td>' for label, value in cells)
    return f'<tr role="row"><th scope="row" role="rowheader">{head}</th>{row}</tr>'


def mailbox(address: str, mails: list[Mail]) -> bytes:
    items = "".join(_mail_item(mail) for mail in mails[: -LISTED - 1 : -1])
    shown = f"; the newest {LISTED} are shown" if len(mails) > LISTED else ""
    body = f"""<p>{counted(len(mails), "mail")}, newest first{shown}.</p>
<ul class="mails">{items}</ul>"""
    return page("Mailbox", body, ((f"{BASE}/", "All mailboxes"),), address)


def _mail_item(mail: Mail) -> str:
    read = reading.read(mail.shown)
    return f"""<li><a href="{BASE}/messages/{mail.id}">{escape(read.subject or "(no subject)")}</a>
<span class="from">{escape(read.from_)}</span>
<span class="tags"><span class="tag">{KINDS[mail.kind]}</span>{arrival(mail)}</span>
{when(mail.at)}</li>"""


def message(mail: Mail, box: str) -> bytes:
    """`box`: address of the mailbox page to go back to, opaque."""
    read = reading.read(mail.shown)
    here = f"{BASE}/messages/{mail.id}"
    cipher = f" <span>{escape(mail.tls.cipher)}</span>" if mail.tls else ""
    rows = (
        ("From", escape(read.from_)),
        ("To", escape(read.to)),
        ("Delivered to", escape(", ".join(mail.recipients))),
        ("Envelope sender", escape(mail.sender) or "<em>none (null sender)</em>"),
        ("Received", when(mail.at)),
        ("Connection", arrival(mail) + cipher),
    )
    listed = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)
    parts = _attachments(read, here)
    sealed = _sealed(mail)
    shown = ""
    if read.html:
        shown = f"""<iframe class="mail" title="The message as its owner sees it" src="{here}/html"
sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>"""
    text = ""
    if read.text:
        opened = "" if read.html else " open"
        text = f"""<details{opened}><summary>Plain text</summary>
<pre class="text">{reading.linked(read.text)}</pre></details>"""
    body = f"""<p class="tags"><span class="tag">{KINDS[mail.kind]}</span></p>
<dl class="fields">{listed}</dl>
{sealed}{shown}{text}{parts}
<p class="actions"><a class="action" href="{here}.eml">Download .eml</a>
<a class="action" href="{here}/raw">Show source</a></p>"""
    back = f"{BASE}/mailboxes/{box}" if box else f"{BASE}/"
    return page("Mail", body, ((f"{BASE}/", "All mailboxes"), (back, "Mailbox")), read.subject or "(no subject)")


def _sealed(mail: Mail) -> str:
    kind = reading.read(mail.raw).encrypted
    if not kind:
        return ""
    what = "opened here with its owner's key" if mail.opened else "its owner has no key here that opens it"
    return f'<p class="empty">This message came encrypted with {kind}; {what}.</p>'


def _attachments(read: reading.Reading, here: str) -> str:
    if not read.parts:
        return ""
    items = "".join(
        f'<li><a href="{here}/parts/{part.number}">{escape(part.name)}</a> '
        f"<span>{escape(part.kind)}, {counted(len(part.content), 'byte')}</span></li>"
        for part in read.parts
    )
    return f'<section><h2>Attachments</h2><ul class="plain">{items}</ul></section>'


def frame(mail: Mail) -> bytes:
    """The HTML part alone, for the sandboxed frame."""
    read = reading.read(mail.shown)
    shown = reading.place_pictures(read.html, read.parts, f"{BASE}/messages/{mail.id}/parts")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Message</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f'<body style="margin:12px;font-family:sans-serif;background:#fff;color:#111">{shown}</body></html>'
    ).encode()


def missing() -> bytes:
    body = f"""<p>This mail or mailbox is not here. The sandbox keeps mail in memory only:
after a restart it is empty.</p>
<p><a class="action" href="{BASE}/">All mailboxes</a></p>"""
    return page("Not here", body)
