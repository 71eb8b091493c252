"""Gives an organisation of the bench 500 rules in one version: `python bench/many_rules.py HOME [--content]`.

As an organisation of some size has them (policy_bench.rules, mixed): none of them matches what the bench sends, and
none reads what a message contains. `--content` adds one that does, for every message, and would hold health
information."""

import argparse
import pathlib
import sys
from importlib import import_module
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from policy_bench import rules

from carepost.policy.content import Level
from carepost.policy.types import Rule
from carepost.settings import boot

READS = Rule("reads-everything", levels=(Level.PHI_HIGH, Level.PHI_LIKELY), action="hold")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("home", type=pathlib.Path)
    parser.add_argument("--content", action="store_true")
    options = parser.parse_args()
    boot.setup("command", at=options.home)
    # Django's models can be read only now
    policy, scope = import_module("carepost.tenancy.actions.policy"), import_module("carepost.tenancy.scope")
    with scope.every("the only organisation of a bench"):
        org = import_module("carepost.tenancy.models").Organisation.objects.get().pk
    many = [*rules("mixed"), *([READS] if options.content else [])]

    def change(_doing: object, known: list[Any]) -> list[Any]:
        for rule in many:
            known = policy.with_rule(known, rule)
        return known

    command = import_module("carepost.tenancy.permissions").COMMAND_LINE
    policy._change(org, change, actor=command, reason="bench", named="many")
    return 0


if __name__ == "__main__":
    sys.exit(main())
