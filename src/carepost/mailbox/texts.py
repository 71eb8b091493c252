"""What notices say: constants, with places for opaque ids, times, the neutral name and the telephone number only."""

import enum


class About(enum.StrEnum):
    """What a mail of ours is about. The first three go to recipients, the rest to the sender of a message."""

    WAITING = "waiting"
    CODE = "code"
    KEY = "key"
    LOCKED = "locked"
    HELP = "help"
    NOT_ME = "not-me"
    AGREED = "agreed"


#: about -> (subject, paragraphs before the button, label of the button, paragraphs after it)
TEXTS: dict[About, tuple[str, tuple[str, ...], str, tuple[str, ...]]] = {
    About.WAITING: (
        "You have a secure message",
        (
            "{name} has sent you a secure message.",
            "It may hold private information, so it is not in this e-mail. You can read it, and reply, on a "
            "protected page. You need no account.",
        ),
        "Read the message",
        ("{proof}", "The message can be read until {until}.", "{help}"),
    ),
    About.CODE: (
        "Your code for a secure message",
        ("You asked for a code to read a secure message from {name}. The code is:", "{code}"),
        "",
        (
            "Enter it on the page where you asked for it. It works once, until {until}.",
            "If you did not ask for it, you need not do anything: without the code the message stays closed. "
            "Never tell the code to anybody, also not to us.",
            "{help}",
        ),
    ),
    About.KEY: (
        "Your code for your encryption key",
        ("Somebody gave {name} an encryption key for this e-mail address. If it was you, the code is:", "{code}"),
        "",
        (
            "Enter it on the page where you gave the key. It works until {until}.",
            "If it was not you, you need not do anything: without the code the key is not used. Never tell the code "
            "to anybody, also not to us.",
            "{help}",
        ),
    ),
    About.LOCKED: (
        "A recipient could not open your secure message",
        (
            "A recipient of a message you sent has used up the tries to prove who they are. The page is closed for "
            "them until {until} and opens again by itself.",
            "Please contact them another way. If they cannot receive our codes, agree on an access code with them "
            "and send the message again with it.",
        ),
        "",
        ("Message {message}, delivery {delivery}.",),
    ),
    About.HELP: (
        "A recipient needs help with your secure message",
        (
            "A recipient of a message you sent says that they cannot prove who they are on the page, so they cannot "
            "read it. Please contact them another way.",
        ),
        "",
        ("Message {message}, delivery {delivery}. It can be read until {until}.",),
    ),
    About.NOT_ME: (
        "Your secure message may have the wrong recipient",
        (
            "Somebody who got the notice of a message you sent says that it is not meant for them. They have not "
            "seen the message. Please check the address, and retract the message if it is wrong.",
        ),
        "",
        ("Message {message}, delivery {delivery}.",),
    ),
    About.AGREED: (
        "Your secure message waits for its recipient with an access code",
        (
            "A message you sent had to wait, because it can be read only with something agreed with its recipient. "
            "Somebody who looks after your organisation's mail has now given it an access code, or a question and "
            "its answer. It lies in the portal, and the recipient is told that it waits.",
            "The code is in no e-mail. Ask who gave it, and make sure that the recipient knows it: by telephone or "
            "face to face, never by e-mail. The message's page in Carepost says who it was.",
        ),
        "",
        ("Message {message}, delivery {delivery}. It can be read until {until}.",),
    ),
}

#: how the person will be asked to prove who they are
PROOFS = {
    "none": "To open it we send a code to this e-mail address; you enter it on the page.",
    "code": "To open it you enter the access code that you agreed on with the sender.",
    "question": "To open it you answer the question that you agreed on with the sender.",
}

HELP_PHONE = (
    "Not sure that this is real? Call {name} at {phone}, or at the number you already have. We never ask for a "
    "password or a payment."
)
HELP = "Not sure that this is real? Contact {name} the way you usually do. We never ask for a password or a payment."
FOOT = "This e-mail was made automatically and replies to it are not read."
