#!/bin/sh
# Everything a change must pass before it lands, in under a minute. The steps run side by side and are told in order;
# what a step says is shown where it failed.
set -u
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
# compiled modules and rewritten tests are kept, also where the environment asks for none beside the sources: to make
# them anew costs more than the tests
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="$PWD/.venv/pycache"
said=$(mktemp -d /tmp/carepost-check-XXXXXX)
names="" pids=""
trap 'kill $pids 2>/dev/null; rm -rf "$said"' EXIT
trap 'exit 130' INT TERM

start() {
    name=$1; shift
    "$@" > "$said/$name" 2>&1 &
    names="$names $name" pids="$pids $!"
}
start format ruff format --check src tests bench tools
start lint ruff check src tests bench tools
start types mypy
start imports lint-imports
start sizes python tools/sizes.py
start migrations python tools/migrations.py
# only files with a fast test in them are read: to collect the others takes longer than to run these
start tests python -m pytest -m fast -n 2 -p no:schemathesis $(grep -rl 'mark\.fast' tests --include='test_*.py')

fail=0
set -- $pids
for name in $names; do
    printf '%-12s' "$name"
    if wait "$1"; then
        if [ "$name" = tests ]; then tail -n 1 "$said/$name"; else echo ok; fi
    else
        echo FAILED; cat "$said/$name"; fail=1
    fi
    shift
done
pids=""
exit $fail
