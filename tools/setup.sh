#!/bin/sh
# Makes .venv with the locked packages: `setup.sh core` (what the product needs) or `setup.sh dev` (tests and checks too).
set -eu
cd "$(dirname "$0")/.."
want=$1
[ -f .venv/dev.stamp ] && [ "$want" = core ] && [ .venv/dev.stamp -nt requirements/core.txt ] && { touch .venv/core.stamp; exit 0; }
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Carepost needs Python 3.11 or newer; set PYTHON to one." >&2; exit 2; }
[ -x .venv/bin/python ] || "$python" -m venv .venv
echo "Setting up .venv ($want) …"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$want.txt"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . 2>/dev/null \
  || .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
touch ".venv/$want.stamp"
