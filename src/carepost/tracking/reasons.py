"""What speaks for a machine and what for a person, in words and weights.

A weight is in log odds (natural): above nought for a machine. They are set by hand from what is published, and checked
with families they were not made with (bench/tracking); each is small enough that one weak sign decides nothing."""

from typing import Final, Literal

import msgspec

Applies = Literal["both", "click", "open"]


class Reason(msgspec.Struct, frozen=True):
    #: completes "because …"
    words: str
    weight: float
    applies: Applies = "both"
    #: says so by itself, of this one copy: other copies may be judged by it
    plain: bool = False


REASONS: Final[dict[str, Reason]] = {
    # what the request itself is
    "method": Reason("it asked only whether the address exists", 9.0, plain=True),
    "ahead": Reason("the browser said it was fetching ahead of a person", 9.0),
    "decoy": Reason("it followed a link no person can see", 8.0, "click", plain=True),
    "altered": Reason("the address was changed on the way", 2.2),
    # who it says it is
    "library": Reason("it names a programming library", 6.0, plain=True),
    "crawler": Reason("it names itself a crawler", 6.0, plain=True),
    "scanner": Reason("it names a maker of mail security", 6.0, plain=True),
    "preview": Reason("it makes previews of links for a chat", 6.0, plain=True),
    "headless": Reason("it names a browser without a screen", 6.0, plain=True),
    "missing": Reason("it gave no name", 5.0, plain=True),
    "proxy-click": Reason("picture proxies follow no links", 4.0, "click"),
    "app": Reason("an app's own way of fetching follows no links for people", 2.5, "click"),
    "office": Reason("its name is one that Outlook and its scanner share", 1.6, "click"),
    "other": Reason("its name is no browser's", 2.0, "click"),
    "gmail-prefetch": Reason("the picture was fetched by Gmail ahead of reading", 8.0),
    # from where
    "gateway": Reason("it came from a network of a maker of mail security", 2.6),
    "cloud": Reason("it came from a data centre", 1.8),
    "cloud-linux": Reason("it came from a data centre, from the system most machines run on", 2.9),
    "cloud-phone": Reason("it is a telephone, and came from a data centre", 0.8),
    "unlisted": Reason("it came from a network of homes, telephones or offices", -0.4),
    "linux": Reason("it runs on the system most machines run on", 0.8, "click"),
    # how its headers go with its name
    "no-language": Reason("a browser would have said its languages", 2.2),
    "no-fetch": Reason("a browser of that age would have said how it came to ask", 2.0),
    "no-hints": Reason("a browser of that kind would have named its brand", 0.7),
    "hints-differ": Reason("its brand and its name do not agree", 2.5),
    "hints-headless": Reason("its brand is a browser without a screen", 6.0, plain=True),
    "impossible": Reason("no browser is what it says it is", 3.0),
    "accept": Reason("a browser that follows a link would have asked for a page", 1.8, "click"),
    "as-page": Reason("it asked for the picture as if for a page", 3.2, "open", plain=True),
    "no-coding": Reason("a browser would have taken compressed answers", 0.8),
    "no-gesture": Reason("no touch or click was said to stand behind it", 0.8, "click"),
    "old": Reason("the browser is more than three years old", 0.2),
    "very-old": Reason("the browser is more than six years old", 1.4),
    "complete": Reason("its headers are whole and agree with its name", -1.2),
    "gesture": Reason("though headers are missing, a touch or click was said to stand behind it", -2.0, "click"),
    "cross": Reason("it was pressed in a page, as in webmail", -1.0, "click"),
    # when
    "before": Reason("it came before the recipient's server had taken the message", 5.0, plain=True),
    "instant": Reason("it came within a second of delivery", 3.0),
    "soon": Reason("it came within two seconds of delivery", 1.8),
    "early": Reason("it came from a data centre within a minute of delivery", 1.5, "click"),
    "early-minutes": Reason("it came from a data centre within minutes of delivery", 0.8, "click"),
    # what else happened to this copy
    "sweep": Reason("several links were followed in the same half second", 4.4, "click", plain=True),
    "sweep-page": Reason("several links were followed in the same half second, though from a page", 2.6, "click"),
    "pair": Reason("two links were followed in the same quarter of a second", 2.6, "click"),
    "pair-page": Reason("two links were followed in the same quarter of a second, though from a page", 0.6, "click"),
    "burst": Reason("four or more links were followed within two seconds", 2.6, "click"),
    "burst-page": Reason("four or more links were followed within two seconds, though from a page", 1.2, "click"),
    "pace": Reason("links were followed hastily", 0.7, "click"),
    "quick-pace": Reason("links were followed more quickly than most people come back to a message", 2.4, "click"),
    "haste": Reason("links were followed more quickly than a person comes back to a message", 3.2, "click"),
    "no-pause": Reason(
        "link upon link was followed more quickly than a person comes back to a message", 4.6, "click", plain=True
    ),
    "hasty-cloud": Reason("that haste came from a data centre, and from no page", 1.0, "click"),
    "all-links": Reason("every link was followed within minutes", 1.5, "click"),
    "all-many": Reason("every one of many links was followed within minutes", 2.1, "click"),
    "all-page": Reason("every link was followed within minutes, though from a page", 0.6, "click"),
    "swift-cloud": Reason("several links were followed swiftly from a data centre", 1.2, "click"),
    "steady": Reason("link after link was followed at one pace", 1.2, "click"),
    "leisure": Reason("there was time to look at pages between the links", -1.4, "click"),
    "leisure-early": Reason(
        "there was time to look at pages between the links, though minutes after delivery", -0.4, "click"
    ),
    "one-browser": Reason(
        "one browser outside data centres followed them all, when gateways are long done", -2.0, "click"
    ),
    "second-look": Reason(
        "a machine had looked at this copy before, and this one is as hasty or came from a data centre", 0.9, "click"
    ),
    "strangers": Reason("link after link was followed by clients that have nothing in common", 3.6, "click"),
    "rotating": Reason("link after link was followed by one client from place after place", 2.8, "click"),
    "stranger": Reason("the next link was followed at once by another client from elsewhere", 1.2, "click"),
    "same-client": Reason("the same client was a machine when it followed other links of this copy", 2.4, "click"),
    "masks": Reason("from that place in a data centre it came under several names", 2.6, "click"),
    "feed": Reason(
        "clients of several data centres, with nothing in common, followed links of this copy", 2.8, "click"
    ),
    "another": Reason("another client in another data centre followed a link of this copy", 1.2, "click"),
    "room-again": Reason(
        "from that place in a data centre somebody had done what no person does on this copy", 1.6, "click"
    ),
    "kin-again": Reason("a client of the same name had done what no person does on this copy", 1.2, "click"),
    "beside-altered": Reason("at that moment the same client asked from elsewhere for a changed address", 2.6, "click"),
    "shown": Reason("the message was being shown as the link was followed", -1.2, "click"),
    "way-out": Reason("the way out of the list was followed with the other links", 1.4, "click"),
    "guard": Reason("a better browser from there followed the same link at that moment", 2.6, "click"),
    "beside-decoy": Reason("the hidden link was followed at that moment", 2.4),
    "neighbour": Reason("the same client did what no person does on this copy", 5.0),
    "room": Reason("from that place in a data centre somebody did what no person does on this copy", 2.0),
    "kin": Reason("a client of the same name did what no person does on this copy", 2.4),
    "shadow-cloud": Reason(
        "a better browser followed the same link just before, and this one is in a data centre", 3.8, "click"
    ),
    "shadow": Reason("a better browser followed the same link at that moment from elsewhere", 2.4, "click"),
    # what happened to other copies
    "known": Reason("the same client did what no person does on several copies", 3.6),
    "suspected": Reason("the same client did what no person does on another copy", 2.2),
    "known-early": Reason(
        "the same client did what no person does on another copy, and came as soon to this one", 1.6, "click"
    ),
    "round": Reason("the same client followed links of several copies within minutes of their delivery", 1.8, "click"),
    "round-many": Reason(
        "the same client followed links of many copies within minutes of their delivery", 2.2, "click"
    ),
    "pictures": Reason(
        "the same client fetched pictures of several copies within minutes of their delivery", 1.5, "open"
    ),
    # what came later
    "session": Reason("the portal was opened from there by a person", -7.0),
    "session-after": Reason("the portal was opened by a person just after", -2.5, "click"),
    # what decides nothing but is said where nothing else is
    "ordinary": Reason("nothing speaks for a machine", 0.0),
    "nothing": Reason("what there is speaks neither way", 0.0),
    "mpp": Reason("pictures are fetched by Apple Mail whether the message is read or not", 0.0, "open"),
    "picture-proxy": Reason("the mailbox's picture proxy fetches when the message is shown", 0.0, "open"),
    "picture-soon": Reason("the mailbox's picture proxy asked sooner than a person reads", 0.0, "open"),
    "mailer": Reason("a mail program showed the message", 0.0, "open"),
}

#: what speaks for a machine by itself
PLAIN: Final = frozenset(code for code, reason in REASONS.items() if reason.plain)


def words(code: str) -> str:
    """Completes "because …"; a code of another version is answered too."""
    reason = REASONS.get(code)
    return reason.words if reason else "of a rule this version does not know"
