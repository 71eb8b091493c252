"""Django's SQLite backend over SQLCipher: `OPTIONS["raw_key"]` is a function that returns the 32-byte key."""
