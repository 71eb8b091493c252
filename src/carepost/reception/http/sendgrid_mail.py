"""A mail in SendGrid's words, said in ours: one message a personalization. What has no meaning here is refused with
what to do instead; nothing that was asked for is passed over."""

import datetime
import re
from collections.abc import Iterator, Sequence
from typing import Final, overload

from carepost.ground import clock
from carepost.reception.http.problem import ProblemError, refuse
from carepost.wire import rest, sendgrid
from carepost.wire.sendgrid import Error, Mail, Personalization

#: unsubscribe groups: our two streams that a person can leave
GROUPS: Final = {1: rest.Category.OPERATIONAL, 2: rest.Category.MARKETING}
_TEXT, _HTML = "text/plain", "text/html"
_DYNAMIC: Final = re.compile(r"d-([0-9a-f]{32})")
_BY_CONTROL: Final = "is decided by the organisation's rules here; leave it out."


#: as SendGrid's: octets of one personalization's substitutions; and characters of a text in which something is replaced
_SUBSTITUTIONS: Final = 10_000
_REPLACED: Final = 1_000_000
_TOO_LONG: Final = "A text in which something is replaced has at most 1 MB, before and after."
#: seconds a `send_at` may have passed to be told to the door, which takes it for now; what is older is left out here
_PAST: Final = 1_800


#: no time at all
_NO_TIME: Final = "never"


class _TooLong(Exception):
    pass


class MailError(Exception):
    def __init__(self, errors: tuple[Error, ...]) -> None:
        super().__init__("refused")
        self.errors = errors


class Said(Sequence[rest.Message | ProblemError]):
    """One message a personalization, each made when it is asked for: a thousand texts are never there at once."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    def __len__(self) -> int:
        return len(self._mail.personalizations)

    @overload
    def __getitem__(self, at: int) -> rest.Message | ProblemError: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[rest.Message | ProblemError]: ...

    def __getitem__(self, at: int | slice) -> rest.Message | ProblemError | Sequence[rest.Message | ProblemError]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        try:
            return _message(self._mail, self._mail.personalizations[at])
        except _TooLong:
            pointer = f"/messages/{at}/substitutions"
            return refuse(422, "invalid", "A field is wrong.", (rest.Fault(pointer, _TOO_LONG),))


def messages(mail: Mail) -> Said:
    """Raises MailError with all that is wrong."""
    errors = tuple(_faults(mail))
    if errors:
        raise MailError(errors)
    return Said(mail)


def _faults(mail: Mail) -> Iterator[Error]:
    kinds = [content.type.partition(";")[0].strip().lower() for content in mail.content]
    for number, kind in enumerate(kinds):
        if kind not in (_TEXT, _HTML):
            yield Error(
                "Give other types as attachments; content is text/plain and text/html.", f"content.{number}.type"
            )
    if len(set(kinds)) != len(kinds):
        yield Error("Each type of content stands here once.", "content")
    if not mail.content and mail.template_id is None:
        yield Error("Give content, or the template_id of a template with content.", "content")
    if mail.content and mail.template_id is not None:
        yield Error("The template says the content; leave one of the two out.", "content")
    for number, one in enumerate(mail.personalizations):
        place = f"personalizations.{number}"
        if mail.template_id is None and not (one.subject or mail.subject):
            yield Error("The subject is required.", "subject")
        if one.dynamic_template_data and mail.template_id is None:
            yield Error("dynamic_template_data needs a template_id.", f"{place}.dynamic_template_data")
        if one.substitutions and mail.template_id is not None:
            yield Error("Templates here take dynamic_template_data.", f"{place}.substitutions")
        if sum(len(name) + len(value) for name, value in one.substitutions.items()) > _SUBSTITUTIONS:
            yield Error(f"The substitutions of one have at most {_SUBSTITUTIONS} bytes.", f"{place}.substitutions")
        if _moment(one.send_at) == _NO_TIME:
            yield Error("send_at is a Unix time in seconds.", f"{place}.send_at")
        yield from _bounds(mail, one, place)
    if _moment(mail.send_at) == _NO_TIME:
        yield Error("send_at is a Unix time in seconds.", "send_at")
    yield from _unmeant(mail)


def _bounds(mail: Mail, one: Personalization, place: str) -> Iterator[Error]:
    """Those of our own API, where SendGrid's words say them otherwise."""
    arguments = {**mail.custom_args, **one.custom_args}
    if len(arguments) > 50:
        yield Error("A message has at most 50 custom_args.", f"{place}.custom_args")
    if any(not 1 <= len(name) <= 128 or len(_word(value)) > 998 for name, value in arguments.items()):
        yield Error("The names of custom_args have 1 to 128 characters, values 998.", f"{place}.custom_args")
    if len(_headers(mail, one)) > 50:
        yield Error("A message has at most 50 header fields of its own.", f"{place}.headers")


def _unmeant(mail: Mail) -> Iterator[Error]:
    if len(mail.reply_to_list) > 1 or (mail.reply_to_list and mail.reply_to is not None):
        yield Error("A message has one address for replies: give reply_to.", "reply_to_list")
    if mail.batch_id is not None:
        yield Error("Batches are not named here; cancel by POST /api/v1/messages/{id}/retract.", "batch_id")
    if mail.ip_pool_name is not None:
        yield Error(f"The sending address {_BY_CONTROL}", "ip_pool_name")
    if mail.asm is not None and mail.asm.group_id not in GROUPS:
        yield Error("There are two groups here: 1, operational mail, and 2, marketing.", "asm.group_id")
    settings, tracking = mail.mail_settings, mail.tracking_settings
    for name, words in (
        ("bcc", "Name who gets a copy in bcc of the personalization"),
        ("forward_spam", "Complaints stand on the suppression list, and administrators are told"),
    ):  # fmt: skip
        if getattr(settings, name).enable:
            yield Error(f"{words}; set enable to false or leave it out.", f"mail_settings.{name}")
    for name in ("list", "spam", "bounce", "unsubscribe"):
        full = f"bypass_{name}_management"
        if getattr(settings, full).enable:
            yield Error("Suppressions cannot be passed over; undo one instead.", f"mail_settings.{full}")
    if settings.spam_check.enable:
        yield Error(f"What is checked {_BY_CONTROL}", "mail_settings.spam_check")
    if tracking.click_tracking is not None and tracking.click_tracking.enable_text:
        yield Error(
            "Links in plain text stay as they are; set enable_text to false.",
            "tracking_settings.click_tracking.enable_text",
        )
    if tracking.open_tracking is not None and tracking.open_tracking.substitution_tag:
        yield Error(
            "The picture stands at the end of the page; leave substitution_tag out.",
            "tracking_settings.open_tracking.substitution_tag",
        )
    for name, words in (
        ("subscription_tracking", "Mail with asm group 2 carries its own way to unsubscribe"),
        ("ganalytics", "Nothing is given to a third party here"),
    ):  # fmt: skip
        if getattr(tracking, name).enable:
            yield Error(f"{words}; set enable to false or leave it out.", f"tracking_settings.{name}")


def _message(mail: Mail, one: Personalization) -> rest.Message:
    content = {content.type.partition(";")[0].strip().lower(): content.value for content in mail.content}
    footer = mail.mail_settings.footer
    text, html = content.get(_TEXT), content.get(_HTML)
    if footer.enable:
        text = text and text + footer.text
        html = html and _before_end(html, footer.html)
    send_at = _moment(one.send_at if one.send_at is not None else mail.send_at)
    from_ = one.from_ or mail.from_
    reply = mail.reply_to or (mail.reply_to_list[0] if mail.reply_to_list else None)
    arguments = {**mail.custom_args, **one.custom_args}
    return rest.Message(
        from_=_mailbox(from_),
        to=tuple(map(_mailbox, one.to)), cc=tuple(map(_mailbox, one.cc)), bcc=tuple(map(_mailbox, one.bcc)),
        reply_to=_mailbox(reply) if reply is not None else None,
        # a template's own subject wins, as there
        subject=_put(mail, one, one.subject or mail.subject) if mail.template_id is None else "",
        text=_put(mail, one, text) if text is not None else None,
        html=_put(mail, one, html) if html is not None else None,
        attachments=tuple(map(_attachment, mail.attachments)),
        headers=_headers(mail, one),
        category=GROUPS[mail.asm.group_id] if mail.asm is not None else rest.Category.TRANSACTIONAL,
        tags=mail.categories,
        metadata={name: _word(value) for name, value in arguments.items()},
        template_id=_template(mail.template_id) if mail.template_id is not None else None,
        variables=one.dynamic_template_data or ({} if mail.template_id is not None else None),
        test=mail.mail_settings.sandbox_mode.enable,
        tracking=_tracking(mail.tracking_settings),
        send_at=send_at or None,
    )  # fmt: skip


def _tracking(said: sendgrid.TrackingSettings) -> rest.TrackingAsk | None:
    """None where nothing is said: then it is as the organisation decided."""
    if said.open_tracking is None and said.click_tracking is None:
        return None
    return rest.TrackingAsk(
        said.open_tracking.enable if said.open_tracking is not None else None,
        said.click_tracking.enable if said.click_tracking is not None else None,
    )


def _put(mail: Mail, one: Personalization, text: str) -> str:
    """What is put in is not looked through again but for sections, as SendGrid's."""
    text = _replaced(text, one.substitutions)
    return _replaced(text, mail.sections)


def _replaced(text: str, values: dict[str, str]) -> str:
    """Raises _TooLong: one letter could stand for ten thousand."""
    found = [re.escape(name) for name in sorted(values, key=len, reverse=True) if name]
    if not found:
        return text
    room = _REPLACED - len(text)

    def put(match: re.Match[str]) -> str:
        nonlocal room
        new = values[match[0]]
        room -= len(new) - len(match[0])
        if room < 0:
            raise _TooLong
        return new

    if room < 0:
        raise _TooLong
    return re.sub("|".join(found), put, text)


def _headers(mail: Mail, one: Personalization) -> dict[str, str]:
    """The personalization's own in place of the mail's of the same name, however they are written."""
    own = {name.lower() for name in one.headers}
    return {**{name: value for name, value in mail.headers.items() if name.lower() not in own}, **one.headers}


def _before_end(html: str, footer: str) -> str:
    at = html.lower().rfind("</body>")
    return html + footer if at < 0 else html[:at] + footer + html[at:]


def _mailbox(email: sendgrid.Email) -> rest.Mailbox:
    return rest.Mailbox(email.email, email.name)


def _attachment(given: sendgrid.Attachment) -> rest.Attachment:
    # in angle brackets too, as it stands in a message
    inline = given.content_id.removeprefix("<").removesuffix(">") if given.disposition == "inline" else ""
    return rest.Attachment(given.filename, given.content, given.type, content_id=inline)


def _template(named: str) -> str:
    """A dynamic template's id is ours without its hyphens after `d-`; ours serves too."""
    found = _DYNAMIC.fullmatch(named)
    if found is None:
        return named
    text = found[1]
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _moment(seconds: int | None) -> str | None:
    """ "" for now: as SendGrid, what has passed is sent at once. _NO_TIME for what is no time."""
    if seconds is None:
        return None
    if 0 <= seconds < clock.now() // 1_000_000 - _PAST:
        return ""
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return _NO_TIME


def _word(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
