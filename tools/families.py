"""Prints the time and number of tests of each family (a folder under tests/) from pytest's JUnit files."""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path


def main(files: list[str]) -> int:
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for file in files:
        if not Path(file).exists():
            continue
        run = Path(file).stem
        for case in ElementTree.parse(file).iter("testcase"):  # noqa: S314  our own file
            folder = case.get("classname", "").partition(".")[2].partition(".")[0]
            family = f"{folder} ({run})"
            seconds[family] += float(case.get("time", "0"))
            tests[family] += 1
            failed[family] += any(child.tag in ("failure", "error") for child in case)
    print(f"{'family':<28}{'tests':>7}{'failed':>8}{'seconds':>10}")
    for family, spent in seconds.most_common():
        print(f"{family:<28}{tests[family]:>7}{failed[family]:>8}{spent:>10.1f}")
    print(f"{'all':<28}{tests.total():>7}{failed.total():>8}{seconds.total():>10.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
