"""The one function that makes notices and codes (DESIGN 3): constants and opaque ids, nothing of the message.

From `notice@` the sender's own domain, so that DKIM aligns; the display name is the organisation's neutral one.
"""

import html
from datetime import UTC, datetime

import msgspec

from carepost.ground import clock, ids
from carepost.mailbox.texts import FOOT, HELP, HELP_PHONE, PROOFS, TEXTS, About
from carepost.rfc import compose
from carepost.rfc.address import Mailbox


class Office(msgspec.Struct, frozen=True):
    """What notices and pages may say of an organisation."""

    id: bytes
    notice_name: str
    phone: str
    #: e.g. "https://portal.clinic.example", without a slash at its end
    portal_url: str
    #: address that replies come from, e.g. "portal@clinic.test"
    portal_address: str


class Notice(msgspec.Struct, frozen=True):
    """Everything a notice is made of. `until`: UTC microseconds."""

    about: About
    office: Office
    #: domain of the message's sender; the notice comes from `notice@` it
    domain: str
    to: str
    until: int = 0
    link: str = ""
    code: str = ""
    #: "none" | "code" | "question"
    proof: str = "none"
    message: str = ""
    delivery: str = ""


def notice_mail(notice: Notice) -> bytes:
    """The mail, CRLF, ready for `intake.accept` with kind NOTICE: text and HTML say the same."""
    subject, before, button, after = TEXTS[notice.about]
    url = link_url(notice.office, notice.link) if notice.link else ""
    fill = _fields(notice)
    first = [p.format(**fill) for p in before]
    last = [p.format(**fill) for p in after]
    text = "\r\n\r\n".join([*first, *([url] if url else []), *last, FOOT]) + "\r\n"
    return compose.build(
        from_=Mailbox(notice.office.notice_name, sender_of(notice.domain)),
        to=[Mailbox("", notice.to)],
        subject=subject,
        text=text,
        html=_page(subject, first, button, url, last, code=notice.code),
        at=clock.now(),
        message_id=f"<{ids.text(ids.new())}@{notice.domain}>",
        headers=(("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")),
    )


def sender_of(domain: str) -> str:
    return f"notice@{domain}"


def link_url(office: Office, link: str) -> str:
    return f"{office.portal_url}/m/{link}"


def _fields(notice: Notice) -> dict[str, str]:
    name, phone = notice.office.notice_name, notice.office.phone
    at = datetime.fromtimestamp(notice.until / 1_000_000, UTC)
    clocked = notice.about is not About.WAITING
    return {
        "name": name,
        "until": f"{at.day} {at:%B %Y}" + (f", {at:%H:%M} UTC" if clocked else ""),
        "code": notice.code,
        "proof": PROOFS[notice.proof],
        "help": (HELP_PHONE if phone else HELP).format(name=name, phone=phone),
        "message": notice.message,
        "delivery": notice.delivery,
    }


_P = '<p style="margin:0 0 16px">{}</p>'
_CODE = (
    '<p style="margin:0 0 16px;font-size:30px;font-weight:bold;letter-spacing:6px;'
    'font-family:Menlo,Consolas,monospace">{}</p>'
)
_BUTTON = (
    '<p style="margin:0 0 8px"><a href="{url}" style="display:inline-block;padding:13px 22px;background-color:#1a4480;'
    'color:#ffffff;text-decoration:none;border-radius:4px;font-weight:bold">{label}</a></p>'
    '<p style="margin:0 0 20px;font-size:15px">Or copy this address into your browser:<br>'
    '<span style="word-break:break-all">{url}</span></p>'
)
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '</head><body style="margin:0;padding:0;background-color:#ffffff;color:#1b1b1b">'
    '<div style="max-width:34rem;margin:0 auto;padding:24px 16px;font:17px/1.5 Helvetica,Arial,sans-serif">'
    '<h1 style="font-size:22px;line-height:1.25;margin:0 0 16px">{title}</h1>{body}'
    '<p style="margin:24px 0 0;padding-top:12px;border-top:1px solid #a9aeb1;font-size:15px;color:#3d4551">{foot}</p>'
    "</div></body></html>"
)


def _page(title: str, first: list[str], button: str, url: str, last: list[str], *, code: str) -> str:
    body = "".join((_CODE if code and p == code else _P).format(html.escape(p)) for p in first)
    if url:
        body += _BUTTON.format(url=html.escape(url), label=html.escape(button))
    body += "".join(_P.format(html.escape(p)) for p in last)
    return _PAGE.format(title=html.escape(title), body=body, foot=html.escape(FOOT))
