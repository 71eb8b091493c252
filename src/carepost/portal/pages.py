"""The pages for what does not go, each with a way forward (ux 7). No PHI; `ask`: offers to tell the sender."""

from typing import Final

import msgspec


class Page(msgspec.Struct, frozen=True):
    title: str
    heading: str
    texts: tuple[str, ...]
    until: int = 0
    ask: bool = False
    #: label of the way back to the message, "" for none
    back: str = ""

    def until_(self, until: int) -> "Page":
        return msgspec.structs.replace(self, until=until)


UNKNOWN: Final = Page(
    "Link not known",
    "We don’t know this link",
    (
        "It may have been cut in two by your mail program, or be a link that was never ours.",
        "Open the e-mail again and press its button, or copy the whole address into your browser.",
    ),
)

ENDED: Final = {
    "expired": Page(
        "Message expired",
        "This message has expired",
        (
            "Messages can be read for a limited time, and that time is over. It was removed from this page.",
            "The sender still has it and can send it to you again.",
        ),
        ask=True,
    ),
    "retracted": Page(
        "Message taken back",
        "The sender took this message back",
        (
            "It can no longer be read here. Senders do this when a message had a mistake or went to a wrong address.",
            "You need not do anything. If you were waiting for it, ask the sender.",
        ),
        ask=True,
    ),
    "deleted": Page(
        "Message deleted",
        "This message was deleted here",
        (
            "Someone signed in as you deleted it, so it can no longer be read on this page.",
            "The sender still has it and can send it to you again.",
        ),
        ask=True,
    ),
}

STALE: Final = Page(
    "Nothing was done",
    "This page was open too long",
    (
        "Nothing was done. It can also happen when someone signed in or out meanwhile in this browser.",
        "Go back in your browser, load the page once more, and try again.",
    ),
    back="Go to the message",
)

LOCKED: Final = Page(
    "Page locked for now",
    "Too many tries: this page is closed for now",
    (
        "To protect the message we stop after a few wrong codes or answers. The message is still there.",
        "We told the sender, who can help you another way.",
    ),
)

BUSY: Final = Page(
    "Busy just now",
    "We can’t do this just now",
    ("Something on our side is busy or being repaired. Your message is safe.", "Please try again in a minute."),
    back="Try again",
)

STORED: Final = Page(
    "Message in long-term storage",
    "Your message is kept in our long-term storage, which we can’t reach just now",
    ("Your message is safe; nothing of it is lost.", "Please try again in a few minutes."),
    back="Try again",
)

SPOILT: Final = Page(
    "Message not readable",
    "This message cannot be shown",
    (
        "It was kept in our long-term storage, and what came back from there is not what we put in. It was recorded.",
        "Please ask the sender to send it to you again.",
    ),
    ask=True,
)

FAULT: Final = Page(
    "Something went wrong",
    "This page could not be shown",
    ("Something went wrong on our side. It was recorded, and your message is safe.", "Please try again later."),
    back="Back to the message",
)

SIGNED_OUT: Final = Page(
    "Not signed in",
    "You are not signed in",
    (
        "Your session ended, or you are on another device. We end it after 30 minutes without use.",
        "Open the newest e-mail that says “You have a secure message”, and press its button.",
    ),
)

LEFT: Final = Page(
    "Signed out",
    "You are signed out",
    ("Nobody can read your messages on this device now.", "To read them again, use the link in your e-mail."),
)
