"""What `/api/v1/webhooks` reads and writes. Unknown fields are refused."""

from typing import Annotated

import msgspec

from carepost.api.shapes import Id, Time

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Name = Annotated[str, msgspec.Meta(max_length=200)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Words = Annotated[tuple[Word, ...], msgspec.Meta(max_length=100)]
Format = Annotated[str, msgspec.Meta(pattern="^(carepost|sendgrid)$")]


class AddWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Empty lists restrict nothing. `events`: kinds, or `delivery.*`; `domains`: of the sender."""

    url: Url
    name: Name = ""
    format: Format = "carepost"
    events: Words = ()
    categories: Words = ()
    tags: Words = ()
    domains: Words = ()


class ChangeWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays."""

    url: Url | None = None
    name: Name | None = None
    format: Format | None = None
    events: Words | None = None
    categories: Words | None = None
    tags: Words | None = None
    domains: Words | None = None


class WebhookKey(msgspec.Struct, frozen=True):
    """`public`: whpk_…, checks `v1a`; `sendgrid`: SendGrid's verification key; `ends_at`: UTC microseconds, or 0."""

    made_at: int
    ends_at: int
    public: str
    sendgrid: str


class WebhookCalls(msgspec.Struct, frozen=True):
    """How its calls go. Times are UTC microseconds, 0: never; `status` 0: no answer came, `code` says why."""

    last_good_at: int
    last_at: int
    last_status: int
    last_code: str
    failing_since: int
    next_at: int
    waiting: int


class Webhook(msgspec.Struct, frozen=True):
    """`state`: live | paused | disabled. `personal`: an agreement is on file, and what is personal is told."""

    id: str
    url: str
    name: str
    format: str
    events: tuple[str, ...]
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    domains: tuple[str, ...]
    state: str
    cause: str
    personal: bool
    keys: tuple[WebhookKey, ...]
    calls: WebhookCalls
    created_at: int
    changed_at: int


class Webhooks(msgspec.Struct, frozen=True):
    webhooks: tuple[Webhook, ...]
    #: every kind that can be asked for
    events: tuple[str, ...]


class NewSecret(msgspec.Struct, frozen=True):
    """`secret`: whsec_…, shown this once."""

    id: str
    secret: str
    public: str
    sendgrid: str


class Rotate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    overlap_hours: Annotated[int, msgspec.Meta(ge=0, le=168)] = 24


class Pause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`catch_up`: first what happened since it was paused or began to fail."""

    catch_up: bool = True


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`event` alone, or `since` with or without `until`."""

    event: Id | None = None
    since: Time = ""
    until: Time = ""


class Asked(msgspec.Struct, frozen=True):
    """`event`: the id of what is told, where it is one."""

    asked: bool
    event: str = ""


class WebhookTry(msgspec.Struct, frozen=True):
    """One try of one event. `result`: sent | again | gave-up | left-out; `said`: words of the answer, masked."""

    id: str
    event: str
    kind: str
    message: str
    at: int
    number: int
    result: str
    status: int
    code: str
    took_ms: int
    said: str


class WebhookTries(msgspec.Struct, frozen=True):
    deliveries: tuple[WebhookTry, ...]
    #: for the next page; "" at the end
    cursor: str
