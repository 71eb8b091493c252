#!/bin/sh
# Everything a change must pass before it lands, in under a minute.
set -u
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
fail=0
step() { printf '%-12s' "$1"; shift; out=$("$@" 2>&1) && echo ok || { echo FAILED; echo "$out"; fail=1; }; }
step format ruff format --check src tests bench tools
step lint ruff check src tests bench tools
step types mypy
step imports lint-imports
step sizes python tools/sizes.py
step migrations python tools/migrations.py
printf '%-12s\n' "fast tests"
python -m pytest -m fast -n 2 tests || fail=1
exit $fail
