"""A mail in SendGrid's words, said in ours: one message a personalization. What has no meaning here is refused with
what to do instead; nothing that was asked for is passed over."""

import datetime
import re
from collections.abc import Iterator
from typing import Final

from carepost.wire import rest, sendgrid
from carepost.wire.sendgrid import Error, Mail, Personalization

#: unsubscribe groups: our two streams that a person can leave
GROUPS: Final = {1: rest.Category.OPERATIONAL, 2: rest.Category.MARKETING}
_TEXT, _HTML = "text/plain", "text/html"
_DYNAMIC: Final = re.compile(r"d-([0-9a-f]{32})")
_BY_CONTROL: Final = "is decided by the organisation's rules here; leave it out."


class MailError(Exception):
    def __init__(self, errors: tuple[Error, ...]) -> None:
        super().__init__("refused")
        self.errors = errors


def messages(mail: Mail) -> tuple[rest.Message, ...]:
    """Raises MailError with all that is wrong."""
    errors = tuple(_faults(mail))
    if errors:
        raise MailError(errors)
    return tuple(_message(mail, one) for one in mail.personalizations)


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
        if one.dynamic_template_data is not None and mail.template_id is None:
            yield Error("dynamic_template_data needs a template_id.", f"{place}.dynamic_template_data")
        if one.substitutions and mail.template_id is not None:
            yield Error("Templates here take dynamic_template_data.", f"{place}.substitutions")
        if len({**mail.custom_args, **one.custom_args}) > 50:
            yield Error("A message has at most 50 custom_args.", f"{place}.custom_args")
    yield from _unmeant(mail)


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
    send_at = one.send_at if one.send_at is not None else mail.send_at
    from_ = one.from_ or mail.from_
    reply = mail.reply_to or (mail.reply_to_list[0] if mail.reply_to_list else None)
    arguments = {**mail.custom_args, **one.custom_args}
    return rest.Message(
        from_=_mailbox(from_),
        to=tuple(map(_mailbox, one.to)), cc=tuple(map(_mailbox, one.cc)), bcc=tuple(map(_mailbox, one.bcc)),
        reply_to=_mailbox(reply) if reply is not None else None,
        subject=_put(mail, one, one.subject or mail.subject),
        text=_put(mail, one, text) if text is not None else None,
        html=_put(mail, one, html) if html is not None else None,
        attachments=tuple(map(_attachment, mail.attachments)),
        headers={**mail.headers, **one.headers},
        category=GROUPS[mail.asm.group_id] if mail.asm is not None else rest.Category.TRANSACTIONAL,
        tags=mail.categories,
        metadata={name: _word(value) for name, value in arguments.items()},
        template_id=_template(mail.template_id) if mail.template_id is not None else None,
        variables=one.dynamic_template_data,
        test=mail.mail_settings.sandbox_mode.enable,
        tracking=_tracking(mail.tracking_settings),
        send_at=_moment(send_at) if send_at is not None else None,
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
    found = [re.escape(name) for name in sorted(values, key=len, reverse=True) if name]
    if not found:
        return text
    return re.sub("|".join(found), lambda match: values[match[0]], text)


def _before_end(html: str, footer: str) -> str:
    at = html.lower().rfind("</body>")
    return html + footer if at < 0 else html[:at] + footer + html[at:]


def _mailbox(email: sendgrid.Email) -> rest.Mailbox:
    return rest.Mailbox(email.email, email.name)


def _attachment(given: sendgrid.Attachment) -> rest.Attachment:
    inline = given.content_id if given.disposition == "inline" else ""
    return rest.Attachment(given.filename, given.content, given.type, content_id=inline)


def _template(named: str) -> str:
    """A dynamic template's id is ours without its hyphens after `d-`; ours serves too."""
    found = _DYNAMIC.fullmatch(named)
    if found is None:
        return named
    text = found[1]
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _moment(seconds: int) -> str:
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        raise MailError((Error("send_at is a Unix time in seconds.", "send_at"),)) from None


def _word(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
