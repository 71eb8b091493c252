"""Who keeps the master key, where that is not the keyring file itself: HashiCorp Vault, AWS KMS, or a PKCS#11 token.

Asked once, at a start, to unwrap what the keyring file holds wrapped; a process that runs asks nobody. Never falls back
to anything else, never writes a key in clear, and never puts a secret of its own into the keyring file: those come from
the environment (`settings.secret`). A provider is a module found by its kind, loaded when a keyring names it.
Doors: `settings.Settings`, `settings.Provider`, `opening.provider(settings, environ) -> Provider`. Errors: ConfigError.
"""
