"""How well bounces of others are read: the messages flufl.bounce is tested with (Apache-2.0, Mailman's collection of
twenty years, `tests/data` of its source distribution), with its own answers to who failed, and whether for good.

    python bench/bounces_bench.py [FOLDER]

FOLDER: an unpacked source distribution; without one pip fetches that release into a temporary folder. Nothing of it is
kept here: addresses in it were people's. Figures are of rules that were mended with these very messages."""

import ast
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path

from carepost.rfc import bouncemail
from carepost.rfc.bounces import Class

RELEASE = "flufl.bounce==6.0.0"


def fetched(folder: Path) -> Path:
    how = ("--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(folder))
    subprocess.run([sys.executable, "-m", "pip", "download", *how, RELEASE], check=True, timeout=300)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def answers(folder: Path) -> dict[str, tuple[set[str], bool]]:
    """File -> who failed, whether only for now. Where two detectors answer, the one that finds somebody."""
    found = re.search(r"^DETECTORS = (\[.*?^\])", (folder / "tests/test_detectors.py").read_text(), re.DOTALL | re.M)
    assert found is not None
    truth: dict[str, tuple[set[str], bool]] = {}
    for _, name, addresses, for_now in ast.literal_eval(found[1]):
        who = {address.decode().lower() for address in addresses}
        if who or name not in truth:
            truth[name] = (who, for_now)
    return truth


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(arguments[0]) if arguments else fetched(Path(made))
        counts: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        began = time.process_time()
        for name, (wanted, for_now) in sorted(answers(folder).items()):
            bounce = bouncemail.read((folder / "tests/data" / name).read_bytes())
            told = (
                {}
                if bounce is None
                else {who: one for one in bounce.recipients for who in (one.recipient, one.original)}
            )
            counts["asked for"] += len(wanted)
            counts["mails"] += 1
            for who in wanted:
                one = told.get(who)
                if one is None:
                    print(f"  not found in {name}")
                    continue
                counts["found"] += 1
                reasons[one.verdict.reason] += 1
                counts["for now or for good right"] += (one.action == "delayed") == for_now
                counts["for now, and taken for hard"] += for_now and one.verdict.klass is Class.HARD
            if not wanted and bounce is not None and any(one.recipient for one in bounce.recipients):
                counts["somebody found where nobody was"] += 1
        seconds = time.process_time() - began
    for label, number in sorted(counts.items()):
        print(f"{label}: {number}")
    print(f"reasons: {', '.join(f'{reason} {number}' for reason, number in reasons.most_common())}")
    print(f"processor: {1000 * seconds / counts['mails']:.1f} ms a mail")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
