"""SendGrid's v3 words for sending mail, as its own documentation and client libraries have them.

Unknown fields are refused: what somebody asked for and we would pass over could be a protection.
"""

from typing import Annotated

import msgspec

from carepost.wire.rest import MAX_BATCH

Text = Annotated[str, msgspec.Meta(max_length=998)]
Some = Annotated[dict[str, str], msgspec.Meta(max_length=50)]


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    pass


class Email(Struct, frozen=True):
    email: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    name: Text = ""


Emails = Annotated[tuple[Email, ...], msgspec.Meta(max_length=1000)]


class Personalization(Struct, frozen=True):
    to: Annotated[tuple[Email, ...], msgspec.Meta(min_length=1, max_length=1000)]
    cc: Emails = ()
    bcc: Emails = ()
    from_: Email | None = None
    subject: Text | None = None
    headers: Some = {}
    #: legacy templates and plain content: text -> what stands there instead
    substitutions: Annotated[dict[str, str], msgspec.Meta(max_length=10_000)] = {}
    dynamic_template_data: dict[str, msgspec.Raw] | None = None
    custom_args: dict[str, str | int | float | bool] = {}
    send_at: int | None = None


class Content(Struct, frozen=True):
    type: Annotated[str, msgspec.Meta(max_length=128)]
    value: str


class Attachment(Struct, frozen=True):
    content: str
    filename: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    type: Annotated[str, msgspec.Meta(max_length=128)] = ""
    disposition: Annotated[str, msgspec.Meta(pattern="^(inline|attachment)$")] = "attachment"
    content_id: Annotated[str, msgspec.Meta(max_length=128)] = ""


class Asm(Struct, frozen=True):
    group_id: int
    groups_to_display: Annotated[tuple[int, ...], msgspec.Meta(max_length=25)] = ()


class Switch(Struct, frozen=True):
    enable: bool = False


class Footer(Struct, frozen=True):
    enable: bool = False
    text: str = ""
    html: str = ""


class SpamCheck(Struct, frozen=True):
    enable: bool = False
    threshold: int | None = None
    post_to_url: str | None = None


class Copy(Struct, frozen=True):
    enable: bool = False
    email: str | None = None


class MailSettings(Struct, frozen=True):
    sandbox_mode: Switch = Switch()
    #: of older libraries
    bcc: Copy = Copy()
    forward_spam: Copy = Copy()
    footer: Footer = Footer()
    bypass_list_management: Switch = Switch()
    bypass_spam_management: Switch = Switch()
    bypass_bounce_management: Switch = Switch()
    bypass_unsubscribe_management: Switch = Switch()
    spam_check: SpamCheck = SpamCheck()


class ClickTracking(Struct, frozen=True):
    enable: bool = False
    enable_text: bool = False


class OpenTracking(Struct, frozen=True):
    enable: bool = False
    substitution_tag: str | None = None


class SubscriptionTracking(Struct, frozen=True):
    enable: bool = False
    text: str | None = None
    html: str | None = None
    substitution_tag: str | None = None


class Analytics(Struct, frozen=True):
    enable: bool = False
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None
    utm_campaign: str | None = None


class TrackingSettings(Struct, frozen=True):
    click_tracking: ClickTracking | None = None
    open_tracking: OpenTracking | None = None
    subscription_tracking: SubscriptionTracking = SubscriptionTracking()
    ganalytics: Analytics = Analytics()


class Mail(Struct, frozen=True):
    """`POST /v3/mail/send`: each personalization is a message of its own."""

    personalizations: Annotated[tuple[Personalization, ...], msgspec.Meta(min_length=1, max_length=MAX_BATCH)]
    from_: Email
    reply_to: Email | None = None
    reply_to_list: Emails = ()
    subject: Text = ""
    content: Annotated[tuple[Content, ...], msgspec.Meta(max_length=10)] = ()
    attachments: Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=100)] = ()
    template_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    headers: Some = {}
    categories: Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=128)], ...],
                          msgspec.Meta(max_length=10)] = ()  # fmt: skip
    custom_args: dict[str, str | int | float | bool] = {}
    sections: dict[str, str] = {}
    send_at: int | None = None
    batch_id: str | None = None
    asm: Asm | None = None
    ip_pool_name: str | None = None
    mail_settings: MailSettings = MailSettings()
    tracking_settings: TrackingSettings = TrackingSettings()


class Error(msgspec.Struct, frozen=True):
    """`field`: the path with dots, or null; `message` never quotes what was sent."""

    message: str
    field: str | None = None
    help: str | None = None


class Errors(msgspec.Struct, frozen=True):
    errors: tuple[Error, ...]
