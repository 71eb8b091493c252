#!/bin/sh
# A temporary PostgreSQL cluster for tests: `postgres.sh start FOLDER` prints its URL, `postgres.sh stop FOLDER` ends it.
# Debian's package; as root it runs as the user postgres. Unix socket and one loopback port chosen by the system.
set -eu
act=${1:?start or stop}
folder=${2:?a folder for the cluster}

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v pg_ctl 2>/dev/null || echo /nowhere/pg_ctl)")
[ -x "$bin/pg_ctl" ] || { echo "PostgreSQL is not installed here." >&2; exit 3; }

as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

case $act in
start)
    mkdir -p "$folder"
    [ "$(id -u)" != 0 ] || chown postgres "$folder"
    chmod 711 "$folder"
    password=$(od -An -tx1 -N16 /dev/urandom | tr -d ' \n')
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    (umask 077; printf '%s' "$password" > "$folder/password")
    [ "$(id -u)" != 0 ] || chown postgres "$folder/password"
    cd "$folder"
    as "$bin/initdb" -D "$folder/data" -U carepost --pwfile="$folder/password" --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync > "$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; exit 1; }
    # durability is the business of real clusters: this one is thrown away
    as "$bin/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/log" -o "-c listen_addresses=127.0.0.1 -c port=$port \
        -c unix_socket_directories=$folder -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
        -c max_connections=80 -c shared_buffers=48MB -c log_statement=none" start > "$folder/pg_ctl.log" 2>&1 \
        || { cat "$folder/pg_ctl.log" "$folder/log" >&2; exit 1; }
    echo "postgresql://carepost:$password@127.0.0.1:$port/postgres"
    ;;
stop)
    [ ! -f "$folder/data/postmaster.pid" ] || (cd "$folder" && as "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop > /dev/null 2>&1) || true
    rm -rf "$folder"
    ;;
*)
    echo "usage: postgres.sh start|stop FOLDER" >&2
    exit 2
    ;;
esac
