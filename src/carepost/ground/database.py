"""Opening an SQLite file the one right way (DESIGN 5): WAL, synchronous=FULL, secure_delete, temp_store=MEMORY."""

from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2

from carepost.ground.errors import ConfigError

#: bytes of a page of an encrypted file. To seal a page costs 25 µs whatever its size, and what the journal writes lies
#: side by side: against 4 KiB a message costs a fifth less CPU and a third less disk (bench/journal_bench.py)
PAGE = 16_384

# the driver asks each value that is no plain one what it would rather be bound as: 1 µs for every `bytes`. Told
# beforehand it does not. A bytearray is a plain one: hot paths bind those, and nothing is asked at all
dbapi2.register_adapter(bytes, bytearray)

Connection = Any
DatabaseError = dbapi2.DatabaseError
OperationalError = dbapi2.OperationalError
IntegrityError = dbapi2.IntegrityError


def connect(path: Path, key: bytes | None, *, readonly: bool = False, timeout: float = 10.0) -> Connection:
    """Autocommit connection; transactions are written out as BEGIN IMMEDIATE … COMMIT.

    `key` is the raw 32-byte SQLCipher key, or None for a file whose personal columns are sealed one by one.
    Raises ConfigError when the key does not open the file, or a file without a key is none of SQLite's.
    """
    uri = f"file:{path}?mode=ro" if readonly else f"file:{path}"
    connection = dbapi2.connect(
        uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    prepare(connection, key, str(path), readonly=readonly)
    return connection


def rekey(path: Path, old: bytes, new: bytes) -> None:
    """Encrypts a whole file anew under another raw key, in one transaction: a crash leaves it under the one or the
    other. Nobody else may have it open."""
    connection = connect(path, old)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute(f"PRAGMA rekey = \"x'{new.hex()}'\"")
    finally:
        connection.close()


def unlock(connection: Connection, key: bytes) -> None:
    """The raw key, and the form of an encrypted file: first of all on a connection, also to a file still empty."""
    if len(key) != 32:
        raise ConfigError("A database key has 32 bytes.")
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    connection.execute(f"PRAGMA cipher_page_size = {PAGE}")
    connection.execute("PRAGMA cipher_memory_security = OFF")


def prepare(connection: Connection, key: bytes | None, name: str, *, readonly: bool = False) -> None:
    """Key and pragmas on a connection already open (Django's backend uses this too)."""
    if key is not None:
        unlock(connection, key)
    try:
        connection.execute("PRAGMA temp_store = MEMORY")
        if not readonly:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except dbapi2.DatabaseError as error:
        connection.close()
        if "not a database" in str(error) or "encrypted" in str(error):
            if key is None:
                raise ConfigError(f"{name} is damaged: restore it from a backup.") from None
            raise ConfigError(
                f"The keyring does not open {name}: set CAREPOST_KEYRING to the one made with it."
            ) from None
        raise
