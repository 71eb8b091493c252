"""Django's settings of the office's processes, the SQLCipher backend, and how a process enters Django (`boot.setup`).
Each web process (`staff`, `outside`) has its own settings, secret, cookie name and database role.
Never holds organisation policy (that lives in tables) and never a secret in a file: secrets derive from the keyring.
Doors: `boot.setup(role, …)`, `migrate.migrate(…)`, `runtime.current()`.
"""
