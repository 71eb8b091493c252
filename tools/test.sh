#!/bin/sh
# Every test, on SQLite and PostgreSQL. Prints the time of each family (a folder under tests/).
# `sh tools/test.sh [OPTION…] PATH…` runs only those, with SQLite under the office.
# As root on Debian it installs the real peers it lacks; where PostgreSQL cannot be had it says so, and fails under CI.
set -u
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:/usr/lib/postgresql/15/bin:/usr/sbin:/sbin:$PATH"
python=.venv/bin/python
results=$(mktemp -d /tmp/carepost-tests-XXXXXX)
chmod 711 "$results"
trap 'sh tools/postgres.sh stop "$results/cluster" 2>/dev/null; rm -rf "$results"' EXIT
trap 'exit 130' INT TERM

# command or file -> Debian package
missing=""
need() { command -v "$1" >/dev/null 2>&1 || ls $1 >/dev/null 2>&1 || missing="$missing $2"; }
need '/usr/lib/postgresql/*/bin/initdb' postgresql
need postfix postfix
need swaks swaks
# swaks only recommends it, and speaks no TLS without it
need '/usr/lib/*/perl5/*/Net/SSLeay.pm' libnet-ssleay-perl
need curl curl
need unbound unbound
need gpg gnupg
need gpgsm gpgsm
need sq sq
need cmsutil libnss3-tools
need chromium chromium
need ldns-signzone ldnsutils
need clamd clamav-daemon
need tesseract tesseract-ocr
need softhsm2-util softhsm2
need promtool prometheus
need systemd-analyze systemd
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing$missing …"
    export DEBIAN_FRONTEND=noninteractive
    # no server of ours may start by itself
    printf '#!/bin/sh\nexit 101\n' > "$results/policy"; policy=/usr/sbin/policy-rc.d
    [ -e $policy ] || { cp "$results/policy" $policy && chmod 755 $policy && made_policy=1; }
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } > "$results/apt.log" 2>&1 \
        || { echo "Some packages could not be installed:"; tail -n 3 "$results/apt.log"; }
    [ -z "${made_policy:-}" ] || rm -f $policy
elif [ -n "$missing" ]; then
    echo "Not installed here, and only root can install them:$missing"
fi

marks=""
if [ -n "${CAREPOST_TEST_POSTGRES:-}" ]; then
    postgres=given
elif url=$(sh tools/postgres.sh start "$results/cluster" 2> "$results/postgres.err"); then
    export CAREPOST_TEST_POSTGRES="$url"
    postgres=started
else
    postgres=""
    echo "PostgreSQL cannot be had here: $(tail -n 1 "$results/postgres.err")"
    [ "${CI:-}" != true ] || { echo "In CI that is a failure."; exit 1; }
    echo "Its tests are left out of this run."
    marks="not postgres"
fi

# Two cores carry browsers, mail servers and databases at once: what fails beside others is run once more, alone, and
# is named. More than five are no accident of that kind.
suite() {
    failed="$results/$1.failed"; xml="$results/$1.xml"; shift
    TESTS_FAILED_FILE="$failed" $python -m pytest "$@" -n 2 --junitxml "$xml"
    ended=$?
    [ $ended = 1 ] && [ -n "$whole" ] && [ -s "$failed" ] && [ "$(wc -l < "$failed")" -le 5 ] || return $ended
    echo "Failed beside other tests, now run alone:"
    sed 's/^/    /' "$failed"
    $python -m pytest "@$failed" || return 1
    echo "They passed alone."
}

status=0
echo "SQLite"
whole=yes
for argument in "$@"; do [ ! -e "${argument%%::*}" ] || whole=""; done
[ -z "$whole" ] || set -- tests "$@"
suite sqlite "$@" -m "$marks" || status=1
if [ -n "$whole" ] && [ -n "$postgres" ]; then
    echo "PostgreSQL under the office"
    owner=$($python tools/postgres_owner.py "$CAREPOST_TEST_POSTGRES") || exit 1
    export CAREPOST_SETTINGS_CHECK="$owner"
    suite postgres tests/rooms tests/floors -m django_db || status=1
fi
$python tools/families.py "$results"/*.xml
exit $status
