"""Numbers of payment cards: Luhn, a range that is issued, and what is said around them.

A report card, a library card and a key card have numbers too, and one in ten of any sixteen digits passes Luhn. What
comes after a card (its expiry, its code) says as much as what stands before it.
"""

import re
from collections.abc import Iterator

from carepost.phi import checks, heads
from carepost.phi.beside import somebody
from carepost.phi.fold import Look
from carepost.phi.marks import WINDOW, Keys, Mark, digits_of, strong, weak
from carepost.phi.numbers import BEGIN, END, LABEL, NOISE, called, owned

_CARD = re.compile(
    rf"(?:{BEGIN}|(?<=%B)|(?<=[ /](?:AX|VI|CA|MC|DC|DS|JC|TP|UP)))\d(?:[ -]?\d){{12,18}}(?:{END}|(?=[Ee]xp|EXP))"
)
#: what may stand between the groups of a card: "[4111] [1111]", "4111 / 1111", "4111, 1111 and 1111"
_BY = r"(?:[ \t\n]?[\[\]()|/.,;_\n\t-][ \t\n]?[\[(|]?|[ \n\t]|,? and )"
_GROUPS = re.compile(
    rf"{BEGIN}(?:\d{{4}}(?:{_BY}\d{{4}}){{3}}|3\d{{3}}{_BY}\d{{6}}{_BY}\d{{4,5}}|\d{{5,15}}-?\n\d{{3,12}}){END}"
)
#: so many digits a card has, the likeliest first
_LENGTHS = (16, 15, 14, 19, 13)
#: what a card is for: "the card on your order: ...", "credit card for the deposit: ..."
_PAYS = re.compile(
    r"(?<![a-z])(?:cards?|visa|mastercard|amex|discover|debit|credit)(?: number| no\.?| details| info| below)? "
    r"(?:on|for|of|from|used for|to|in|with|at|behind|against)(?: [a-z'-]+){1,5}[\s:=#(-]{1,4}$"
)
#: what follows the number of a card and nothing else: "exp 04/28", "04/28 123", "good thru", "cvv"
_EXPIRES = re.compile(
    r"[\s,;:|/()<>=&\"'-]{0,6}(?:(?:exp|cvv|cvc|valid|good (?:th|un|to)|thru|vence|venc|security code|sec code|"
    r"g[uü]ltig|auth\b|=(?:2[4-9]|3\d)(?:0[1-9]|1[0-2])\d{3}|/d\d{4})"
    r"|(?:0?[1-9]|1[0-2])/(?:20)?(?:2[4-9]|3[0-9])(?!\d|/)|(?:0[1-9]|1[0-2])(?:2[4-9]|3[0-9])(?!\d|/))"
)
#: cards that pay nothing
_NO_PAYMENT = heads.words("cards that pay nothing")
_BEFORE = re.compile(r"([a-z'-]{2,20})[ -]$")
#: what a card's word begins that is none
_OF_CARDS = re.compile(r"s? ?(?:stock|reader|table|game|catalog|sleeve|slot|printer|board|maker)(?![a-z])")
_AFTER = 14
#: a word in a sentence right before a number: "use 4111...", "so full: 4111..."
_SENTENCE = re.compile(r"(?<![A-Za-z])[a-z]{2,}:? $")
#: words of paying
_PAYING = re.compile(
    r"[$€£]|(?<![a-z])(?:(?:pay|paid|fees?|rent|tips?|pos|void|bill|fop|track ?[12]|auths?)(?![a-z])|"
    r"paying|payment|autopay|declin|pre-?auth|"
    r"charge|billing|refund|deposit|balance|copay|donat|settle|merchant|processor|cashier|checkout|dispute|pago|cobr)"
)


def cards(look: Look, keys: Keys) -> Iterator[Mark]:
    for found in look.begins(_CARD, look.many):
        start = found.start()
        whole = begun(found[0])
        if not whole:
            continue
        end, digits = start + len(whole), digits_of(whole)
        near = _near(look, keys, start, end)
        if _nobegun(look, keys, start, end, near):
            continue
        if not near and not (look.text[end : end + 1] != "@" and _paid(look, keys, start, end, whole)):
            continue
        if near or whole.count("-") == 3 or whole.count(" ") == 3:
            yield strong(start, end, "card", near, digits)
        else:
            yield weak(start, end, "card", 0.5)
    for found in look.begins(_GROUPS, look.of(4, 15)) if keys.of("card") else ():
        digits = digits_of(found[0])
        near = _near(look, keys, *found.span()) if checks.card(digits) else ""
        if near and not _nobegun(look, keys, *found.span(), near):
            yield strong(*found.span(), "card", near, digits)


def _paid(look: Look, keys: Keys, start: int, end: int, whole: str) -> bool:
    """Whether a number with a card's check digit is one though nothing calls it so: written in its groups, before its
    expiry, or where something is paid or somebody is spoken of."""
    begin, stop = heads.paragraph(look, start, end, WINDOW)
    return (
        len(whole) > len(digits_of(whole))
        or keys.in_name
        or look.text.startswith("%B", start - 2)
        or "card" in keys.topic
        or bool(_EXPIRES.match(look.low, end) or _PAYING.search(look.low, begin, stop))
        or keys.cared(begin, stop)
        or len(look.text.strip()) <= len(whole) + _AFTER
        or bool(_SENTENCE.search(look.text, max(0, start - _AFTER), start))
        or somebody(look, begin, stop)
    )


def _near(look: Look, keys: Keys, start: int, end: int) -> str:
    """The label of a keyword of payment around a number: a library card is none."""
    return next(
        (
            hit.entry.term
            for hit in keys.around("card", start, end, WINDOW)
            if not _pays_nothing(look, hit.start, hit.end)
        ),
        "",
    )


def _pays_nothing(look: Look, start: int, end: int) -> bool:
    """Whether the word at `start` is of a card that pays nothing: "library card", "card stock"."""
    if not look.low.startswith("card", start):
        return False
    kind = _BEFORE.search(look.low, max(0, start - 22), start)
    return bool((kind and kind[1].strip("'-") in _NO_PAYMENT) or _OF_CARDS.match(look.low, end))


def _nobegun(look: Look, keys: Keys, start: int, end: int, near: str) -> bool:
    """Whether the number of a card is called something else. Where a card is spoken of, only what touches the number
    says so: "your receipt; the new one is ..." does not."""
    if head := keys.headed(start):
        return head[0].startswith("other")
    if near and "card" in keys.under(start)[1]:
        return False
    label = keys.before("card", start, LABEL)
    if label and label[1] >= start - _AFTER and _pays_nothing(look, *label):
        return True
    # What is written in groups, or stands before its expiry, is none only by what touches it
    sure = near or _EXPIRES.match(look.low, end) or not look.text[start:end].isdigit()
    name = (owned if sure else called)(look, keys, start, NOISE)
    thing = heads.noun(look, keys, start, ("card", "name"))
    if not (name and name[0].startswith("other")) and thing is None:
        return False
    other = name is not None and name[0].startswith("other")
    if _EXPIRES.match(look.low, end) and (near or not other):
        return False
    if not near:
        return other or thing is None or not _PAYING.match(thing.word)
    return not _PAYS.search(look.low, max(0, start - LABEL), start) and (other or not _about(look, keys, start, thing))


def _about(look: Look, keys: Keys, start: int, thing: heads.Head | None) -> bool:
    """Whether a card is spoken of where a noun stands before its number: "card, account 4111..."."""
    if thing is None or thing.word not in _MAY:
        return False
    place = keys.before("card", start, LABEL)
    if place is not None and not heads.apart(look, place[1], start):
        return True
    # a sentence before may be of the card: "Ann Example, cardholder, does not know this one. Account 4111..."
    begin, _ = heads.paragraph(look, start, start, WINDOW)
    return thing.word in _ACCOUNTS and _HOLDER.search(look.low, begin, start) is not None


_MAY = heads.words("of a card")
#: what a bank calls the number of a card, and who has one
_ACCOUNTS, _HOLDER = frozenset(("account", "acct")), re.compile("cardholder|card ?member|card services")


def begun(text: str) -> str:
    """The card a run of digits begins with: a date or a code may follow it after a space."""
    if checks.card(digits_of(text)):
        return text
    for length in _LENGTHS:
        place = count = 0
        while place < len(text) and count < length:
            count += text[place].isdigit()
            place += 1
        if count == length and text[place : place + 1] in (" ", "-") and checks.card(digits_of(text[:place])):
            return text[:place]
    return ""
