#!/bin/sh
# Makes .venv with the locked packages: `setup.sh core` (what the product needs) or `setup.sh dev` (tests and checks too).
# `setup.sh which` only says which Python it would take: $PYTHON if set, else python3 of the path, unless a system's one is
# clearly faster (docs/decisions/0016). An environment that is there is left as it is.
set -eu
cd "$(dirname "$0")/.."
want=$1
[ -f .venv/dev.stamp ] && [ "$want" = core ] && [ .venv/dev.stamp -nt requirements/core.txt ] && { touch .venv/core.stamp; exit 0; }

# The interpreter behind a name or shim; empty where there is none, it is too old, or it lacks what we cannot do without.
behind() {
    "$1" -c 'import os, sys
if sys.version_info >= (3, 11):
    import ctypes, sqlite3, ssl, venv, zlib
    print(os.path.realpath(sys.executable))' 2>/dev/null || true
}
# Nanoseconds of a fixed round of work.
pace() { "$1" -I -S tools/pace.py 2>/dev/null || echo 999999999; }
# By how many hundredths the first is slower than the second: nine pairs, the middle one. One after the other they share
# what else the machine does; the least of either would be a stroke of luck of where code came to lie in memory.
slower() {
    for _ in 1 2 3 4 5 6 7 8 9; do echo $(($(pace "$1") * 100 / $(pace "$2") - 100)); done | sort -n | sed -n 5p
}

choose() {
    own=$(behind python3)
    python=python3 why="python3 of your path" inside=$own
    for other in /usr/bin/python3 /usr/local/bin/python3; do
        real=$(behind "$other")
        [ -n "$real" ] && [ "$real" != "$own" ] && [ "$real" != "$inside" ] || continue
        if [ -z "$inside" ]; then
            python=$other inside=$real why="python3 of your path is missing or older than 3.11"
            continue
        fi
        by=$(slower "$python" "$other")
        # a twentieth at least: less is not worth another Python than the path's
        if [ "$by" -ge 5 ]; then
            why="measured $by % faster than $inside; PYTHON=… takes another" python=$other inside=$real
        fi
    done
    [ -n "$inside" ]
}

# Debian's python3 may come without ensurepip: then the environment is made without pip, and find_pip looks for another.
make_venv() {
    "$1" -m venv .venv >/dev/null 2>&1 && return 0
    rm -rf .venv
    "$1" -m venv --without-pip .venv >/dev/null 2>&1 && return 0
    rm -rf .venv
    return 1
}
# The environment's own pip, or that of another Python, which installs into it (since pip 22.3).
find_pip() {
    for pip in ".venv/bin/python -m pip" "python3 -m pip --python .venv/bin/python" "/usr/bin/python3 -m pip --python .venv/bin/python"; do
        $pip --version >/dev/null 2>&1 && return 0
    done
    return 1
}

if [ "$want" = which ] || [ ! -x .venv/bin/python ]; then
    own=""
    if [ -n "${PYTHON:-}" ]; then
        python=$PYTHON why="PYTHON says so" inside=$(behind "$PYTHON")
    else
        choose || true
    fi
    [ -n "$inside" ] || { echo "Carepost needs Python 3.11 or newer, with its ssl, sqlite3, ctypes and venv; set PYTHON to one." >&2; exit 2; }
    [ "$want" != which ] || { echo "$inside: $why"; exit 0; }
    if ! { make_venv "$python" && find_pip; } && [ -n "$own" ] && [ "$inside" != "$own" ]; then
        rm -rf .venv
        why="$inside is faster, but there is no pip for it" python=python3 inside=$own
        make_venv "$python" || true
    fi
    if [ ! -x .venv/bin/python ] || ! find_pip; then
        rm -rf .venv
        echo "Python at $inside can make no environment with pip here (on Debian: apt install python3-venv)." >&2
        exit 2
    fi
    echo "Python $("$inside" -c 'import platform; print(platform.python_version())'), $inside: $why."
fi
find_pip || { echo "There is no pip 22.3 or newer for .venv (on Debian: apt install python3-venv; or remove .venv)." >&2; exit 2; }
echo "Setting up .venv ($want) …"
$pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$want.txt"
$pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . 2>/dev/null \
  || $pip install --quiet --disable-pip-version-check --no-deps -e .
touch ".venv/$want.stamp"
