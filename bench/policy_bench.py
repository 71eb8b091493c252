"""How long a decision takes with 500 rules. Prints one line a case: p50, p99 and worst in microseconds.

    python bench/policy_bench.py [--json]

Times are CPU time, so that a busy machine does not count. cold: every recipient, sender and header is new to the index,
so that nothing remembered helps. warm: as in service.
"""

import argparse
import gc
import json
import sys
import time

import msgspec

from carepost.policy.content import Attachment, ContentFacts, Level
from carepost.policy.decide import decide
from carepost.policy.needs import needs
from carepost.policy.rules import index
from carepost.policy.types import Assurance, Facts, Rule, TlsPolicy

COUNT = 20_000
LIMIT_US = 200.0


def rules(shape: str) -> tuple[Rule, ...]:
    """500 rules: of one kind, or mixed as an organisation of some size has them."""
    if shape == "none":
        return ()
    if shape == "all-match":
        return tuple(Rule(f"r{n}", floor=Assurance.VERIFIED) for n in range(500))
    made: list[Rule] = []
    for n in range(500):
        kind = n % 10
        domain = f"d{n}.test"
        if kind < 4:
            made.append(Rule(f"r{n}", recipient_domain=domain, floor=Assurance.AUTHENTICATED))
        elif kind == 4:
            made.append(Rule(f"r{n}", recipient=f"p@{domain}", tls_policy=TlsPolicy.FORCED, setting=True))
        elif kind == 5:
            made.append(Rule(f"r{n}", sender=f"s{n}@clinic.test", floor=Assurance.AUTHENTICATED, setting=True))
        elif kind == 6:
            made.append(Rule(f"r{n}", header="subject", contains=f"[t{n}]", floor=Assurance.MESSAGE))
        elif kind == 7:
            made.append(Rule(f"r{n}", size_over=n * 10_000, warn=True, recipient_domain=domain))
        elif kind == 8:
            made.append(Rule(f"r{n}", category="marketing", hours="mon-fri 08:00-18:00 UTC", action="hold"))
        elif shape == "content":
            made.append(Rule(f"r{n}", levels=(Level.PHI_HIGH,), attachments=(Attachment.MACRO,), warn=True))
        else:
            made.append(Rule(f"r{n}", direction="internal", strip_tracking=True))
    return tuple(made)


def facts(known: tuple[Rule, ...], cold: bool) -> list[Facts]:
    base = Facts(
        "o",
        "7",
        "s@clinic.test",
        "clinic.test",
        "p@x.test",
        "x.test",
        rules=known,
        size=20_000,
        at=1_700_000_000_000_000,
    )
    made = []
    for n in range(COUNT):
        domain = f"d{n % 600}.test"
        made.append(
            msgspec.structs.replace(
                base,
                sender=f"s{n % 700}@clinic.test",
                recipient=f"p@{domain}",
                recipient_domain=domain,
                headers=(("subject", f"about [t{n % 900 if cold else 7}]"),),
                size=n * 500 if cold else 20_000,
            )
        )
    return made


def measure(shape: str, cold: bool) -> dict[str, object]:
    known = rules(shape)
    if known:
        index(known)
    spent = []
    gc.disable()
    for f in facts(known, cold):
        if cold and known:
            index(known).effects.clear()
        start = time.thread_time_ns()
        decide(f)
        spent.append(time.thread_time_ns() - start)
    gc.enable()
    spent.sort()
    at = {name: spent[min(int(len(spent) * share), len(spent) - 1)] / 1000 for name, share in SHARES}
    return {"rules": shape, "cold": cold, **{name: round(value, 1) for name, value in at.items()}}


SHARES = (("p50_us", 0.5), ("p99_us", 0.99), ("worst_us", 1.0))


def asking() -> dict[str, object]:
    """What `needs` costs where the content matters."""
    known = rules("content")
    spent = []
    for f in facts(known, True)[:2_000]:
        unknown = msgspec.structs.replace(f, content=ContentFacts())
        start = time.thread_time_ns()
        needs(known, unknown)
        spent.append(time.thread_time_ns() - start)
    spent.sort()
    return {"rules": "needs", "cold": True, "p50_us": spent[len(spent) // 2] / 1000, "p99_us": spent[-20] / 1000}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cases = [(shape, cold) for shape in ("none", "mixed", "content", "all-match") for cold in (False, True)]
    found = [measure(shape, cold) for shape, cold in cases] + [asking()]
    for one in found:
        if args.json:
            print(json.dumps(one))
        else:
            print("  ".join(f"{name} {value}" for name, value in one.items()))
    over = [one for one in found[:-1] if float(str(one["p99_us"])) > LIMIT_US]
    print(f"p99 within {LIMIT_US:.0f} us: {'no' if over else 'yes'}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
