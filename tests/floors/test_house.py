"""The rules of the house that need no database: imports, sizes, names, and who may look across organisations."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "carepost"

#: who may see rows of every organisation, and why (the sentence stands at each place)
EVERY = {
    "api/gate.py": 1,
    "cold/targets.py": 1,
    "destinations/alerts.py": 1,
    "destinations/merging.py": 1,
    "destinations/warming.py": 1,
    "engagement/counting.py": 1,
    "engagement/folding.py": 1,
    "journal/chores.py": 2,
    "journal/cooling.py": 3,
    "journal/drains.py": 1,
    "journal/holds.py": 1,
    "journal/rewrapping.py": 1,
    "jobs/work.py": 1,
    "keyring/anew.py": 1,
    "keyring/authorities.py": 2,
    "keyring/warnings.py": 1,
    "processes/demo_org.py": 1,
    "public/views.py": 1,
    "senders/daily.py": 1,
    "senders/letters.py": 1,
    "tenancy/actions/domains.py": 1,
    "tenancy/actions/organisations.py": 2,
    "tenancy/actions/staff.py": 3,
    "tenancy/retokening.py": 1,
    "tenancy/rewrapping.py": 2,
    "tenancy/select.py": 1,
    "tenancy/sessions.py": 1,
    "webhooks/letters.py": 1,
    "webhooks/targets.py": 1,
}


def sources() -> list[Path]:
    return [p for p in sorted(SOURCE.rglob("*.py")) if "migrations" not in p.parts]


def test_who_looks_across_organisations_is_listed() -> None:
    found = {
        str(p.relative_to(SOURCE)): n
        for p in sources()
        if "carepost.tenancy" in p.read_text() and (n := len(re.findall(r"\bscope\.every\(", p.read_text())))
    }
    assert found == EVERY


def test_time_comes_from_the_ground_only() -> None:
    allowed = {"ground/clock.py"}
    for path in sources():
        if str(path.relative_to(SOURCE)) in allowed:
            continue
        text = path.read_text()
        assert not re.search(r"\btime\.(time|time_ns)\(|datetime\.(now|utcnow|today)\(", text), path


def test_randomness_is_the_systems() -> None:
    """The command line and the sandbox may draw a port or a sample; everything else asks the system."""
    for path in sources():
        if path.relative_to(SOURCE).parts[0] in ("cli", "sandbox"):
            continue
        text = path.read_text()
        assert not re.search(r"^\s*from random import", text, re.M), path
        assert not re.search(r"\brandom\.(?!SystemRandom\b)\w", text) or "import random" not in text, path


def test_nothing_is_switched_off_or_left_for_later() -> None:
    for path in sources():
        text = path.read_text()
        assert not re.search(r"\b(TODO|FIXME|XXX)\b", text), path
        assert not re.search(r"# type: ignore(?!\[)", text), path


def test_the_import_contract_holds() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout


def test_modules_and_functions_keep_to_their_size() -> None:
    done = subprocess.run([sys.executable, "tools/sizes.py"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
