"""Check digits and issuing rules of identifiers. Each takes the digits or characters alone and answers yes or no."""

import re

_MBI = re.compile(
    r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]"
    r"[AC-HJKMNP-RT-Y]{2}[0-9]{2}"
)
#: numbers printed in leaflets and wallets, never issued to a person
_SAMPLE_SSN = frozenset(("078051120", "219099999", "123456789", "111111111", "457555462"))


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def npi(digits: str) -> bool:
    """National Provider Identifier: Luhn over the prefix 80840 (45 CFR 162.406)."""
    return len(digits) == 10 and digits[0] in "12" and luhn("80840" + digits)


def ssn(digits: str) -> bool:
    """What the Social Security Administration can have issued: no area 000, 666, 9xx, no group 00, no serial 0000."""
    if len(digits) != 9 or digits in _SAMPLE_SSN or len(set(digits)) == 1:
        return False
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def itin(digits: str) -> bool:
    """Individual taxpayer number: 9xx, group 50-65, 70-88, 90-92, 94-99 (IRS Publication 1915)."""
    group = int(digits[3:5])
    return len(digits) == 9 and digits[0] == "9" and (50 <= group <= 65 or 70 <= group <= 99) and group not in (89, 93)


def dea(number: str) -> bool:
    """DEA registration: the sum of digits 1, 3, 5 and twice that of 2, 4, 6 ends in the seventh (21 CFR 1301)."""
    d = [int(c) for c in number[2:]]
    return len(d) == 7 and (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]


def mbi(text: str) -> bool:
    """Medicare beneficiary identifier: 11 characters, letters without S L O I B Z (CMS, MBI format)."""
    return bool(_MBI.fullmatch(text))


def card(digits: str) -> bool:
    """Payment card: a known range and length, and Luhn."""
    length = len(digits)
    known = (
        (digits[0] == "4" and length in (13, 16, 19))
        or ((51 <= int(digits[:2]) <= 55 or 2221 <= int(digits[:4]) <= 2720) and length == 16)
        or (digits[:2] in ("34", "37") and length == 15)
        or ((digits[:4] == "6011" or digits[:2] in ("64", "65")) and length == 16)
        or (digits[:2] in ("36", "38", "30") and length == 14)
        or (digits[:2] in ("35", "62") and length == 16)
    )
    return known and len(set(digits)) > 1 and luhn(digits)
