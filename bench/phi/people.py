"""Invented people and their numbers, by seed: names, dates, identifiers with right check digits, addresses of nowhere."""

import random
import string

from carepost.phi import checks

# ruff: noqa: E501, SIM905  (tables of names and placeholders)

_LETTERS = "ACDEFGHJKMNPQRTUVWXY"
#: two sets of names: the detector's list of given names was made without the second
DEV = (
    "Maria Anna James Robert Linda Carlos Wei Priya Fatima Olga Daniel Susan Kevin Lucia Thomas Helen Omar Grace".split(),
    "Sampleton Testarossa Fabricant Mockridge Placeholder Inventado Quillfeather Bramblewick Ostrander Dunmore".split(),
)
HELD = (
    "Tobias Wilhelmina Jovana Ravindra Oluwakemi Bartholomew Siobhan Thaddeus Marisol Ingeborg Desmond Calliope Yolanda"
    " Ferdinand Nahla Roxanne Cornelius Beatriz Hyacinth Leopold Marguerite Quentin Zuleika Augustin".split(),
    "Fakeworthy Nonesuch Imaginova Pretendez Makebelieve O'Fiction Unreal-Smith Vandersham Kounterfeit Dummington"
    " Phantomas Notreal McMadeup Strawmann Sintetico".split(),
)
_STREETS = "Nowhere Example Imaginary Placeholder Sample Willow Maple Heron Quarry Juniper".split()
_KINDS = "Street St Avenue Ave Road Rd Lane Drive Court Way Blvd".split()
_TOWNS = (("Springhollow", "OH"), ("Fakefield", "TX"), ("Mockville", "CA"), ("Testburg", "NY"), ("Nulltown", "FL"))
_MONTHS = "January February March April May June July August September October November December".split()
_DRUGS = (
    ("metformin", "500 mg"), ("lisinopril", "10 mg"), ("atorvastatin", "40 mg"), ("sertraline", "50 mg"),
    ("levothyroxine", "75 mcg"), ("gabapentin", "300 mg"), ("Eliquis", "5 mg"), ("Ozempic", "0.5 mg"),
    ("tamoxifen", "20 mg"), ("Biktarvy", "50 mg"), ("quetiapine", "100 mg"), ("methotrexate", "2.5 mg"),
)  # fmt: skip
_DIAGNOSES = (
    ("E11.9", "type 2 diabetes"), ("I10", "hypertension"), ("F33.1", "major depressive disorder"), ("J45.40", "asthma"),
    ("C50.912", "breast cancer"), ("M54.50", "low back pain"), ("N18.30", "chronic kidney disease"),
    ("G40.909", "epilepsy"), ("B20", "HIV disease"), ("K50.90", "Crohn's disease"), ("I48.91", "atrial fibrillation"),
    ("F11.20", "opioid dependence"), ("Z51.11", "cancer under chemotherapy"),
)  # fmt: skip


def _luhn(prefix: str, length: int, rng: random.Random, salt: str = "") -> str:
    body = prefix + "".join(rng.choice(string.digits) for _ in range(length - len(prefix) - 1))
    return next(body + d for d in string.digits if checks.luhn(salt + body + d))


def _ssn(rng: random.Random) -> str:
    area = rng.choice([a for a in range(1, 900) if a != 666])
    return f"{area:03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"


def _mbi(rng: random.Random) -> str:
    letter, digit = (lambda: rng.choice(_LETTERS)), (lambda: rng.choice(string.digits))
    text = rng.choice("123456789") + letter() + digit() + digit() + letter() + digit() + digit() + letter() + letter()
    text += digit() + digit()
    return f"{text[:4]}-{text[4:7]}-{text[7:]}" if rng.random() < 0.6 else text


def _dea(rng: random.Random) -> str:
    d = [rng.randint(0, 9) for _ in range(6)]
    return f"B{rng.choice(string.ascii_uppercase)}{''.join(map(str, d))}{(d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10}"


def person(seed: int, held: bool) -> dict[str, str]:
    """Every placeholder a template may hold, filled for one invented person."""
    rng = random.Random(f"{seed}-{held}")
    given, family = HELD if held else DEV
    first, last, doctor = rng.choice(given), rng.choice(family), rng.choice(family)
    year, month, day = rng.randint(1931, 2019), rng.randint(1, 12), rng.randint(1, 28)
    icd, title = rng.choice(_DIAGNOSES)
    drug, strength = rng.choice(_DRUGS)
    town, state = rng.choice(_TOWNS)
    ssn = _ssn(rng)
    dob = f"{month:02}/{day:02}/{year}"
    digits = lambda n: str(rng.randint(1, 9)) + "".join(rng.choice(string.digits) for _ in range(n - 1))  # noqa: E731
    when = f"{_MONTHS[rng.randint(0, 11)]} {rng.randint(1, 28)}"
    return {
        "first": first, "last": last, "name": f"{first} {last}", "age": str(2026 - year), "doctor": f"Dr. {doctor}",
        "dlast": doctor, "dob": rng.choice([dob, f"{_MONTHS[month - 1]} {day}, {year}", f"{year}-{month:02}-{day:02}"]),
        "dob2": f"{month}/{day}/{year % 100:02}", "dobfile": f"{month:02}{day:02}{year}",
        "dobhl7": f"{year}{month:02}{day:02}", "dobwords": f"{_MONTHS[month - 1].lower()} {day} {year}",
        "ssn": ssn, "ssnspace": ssn.replace("-", " "), "mbi": _mbi(rng), "npi": _luhn("1", 10, rng, "80840"),
        "dea": _dea(rng), "card": " ".join(_chunks(_luhn("4", 16, rng))), "member": f"{rng.choice(['XYZ', 'W', 'JQA'])}{digits(9)}",
        "mrn": digits(rng.randint(6, 9)), "dl": f"{rng.choice(string.ascii_uppercase)}{digits(7)}",
        "phone": f"({digits(3)}) 555-{digits(4)}", "street": f"{digits(rng.randint(2, 4))} {rng.choice(_STREETS)} {rng.choice(_KINDS)}",
        "citystate": f"{town}, {state} {digits(5)}", "email": f"{first.lower()}@mailbox.example", "icd": icd, "title": title,
        "drug": drug, "strength": strength, "date": rng.choice([when, f"{when}, 2026", f"{rng.randint(1, 12)}/{rng.randint(1, 28)}/2026"]),
        "date2": f"{rng.randint(1, 12)}/{rng.randint(1, 28)}/2026", "time": f"{rng.randint(8, 12)}:{rng.choice(['00', '15', '30'])} am",
        "clinic": f"{rng.choice(_STREETS)} Clinic", "org": f"{last} Partners", "amount": f"{digits(3)}.{digits(2)}",
        "claim": digits(10), "a1c": f"{rng.randint(6, 12)}.{rng.randint(0, 9)}", "nine": digits(9), "seven": digits(7),
        "n": digits(2), "domain": "hiring.example",
    }  # fmt: skip


def _chunks(digits: str) -> list[str]:
    return [digits[i : i + 4] for i in range(0, len(digits), 4)]
