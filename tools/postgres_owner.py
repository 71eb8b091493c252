"""Makes a role that owns the databases of a test run, bound by row security as in production, and prints its URL."""

import os
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg


def main(url: str) -> int:
    name, password = f"carepost_tests_{os.getpid()}", os.urandom(16).hex()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            f"CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB CREATEROLE PASSWORD '{password}'"
        )
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    print(urlunsplit(parts._replace(netloc=f"{name}:{password}@{host}")))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
