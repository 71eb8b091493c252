"""How a process enters Django: its role, home and keys are fixed first, then the settings of that role are read."""

import os
from pathlib import Path

import django

from carepost.ground import config, home
from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import MasterKeyring, PurposeKeys
from carepost.settings import runtime

_MODULES = {
    "staff": "carepost.settings.staff",
    "outside": "carepost.settings.outside",
    "journal": "carepost.settings.journal",
    "command": "carepost.settings.staff",
    "migrate": "carepost.settings.staff",
}


def setup(
    role: str,
    *,
    at: Home | Path | None = None,
    settings: Config | None = None,
    keys: PurposeKeys | None = None,
) -> runtime.Runtime:
    """Once a process. Without `at` the home is CAREPOST_HOME; without `keys` they come through CAREPOST_KEYS_FD,
    else from the home's keyring. Raises ConfigError."""
    if role not in _MODULES:
        raise ConfigError(f"There is no office role {role!r}.")
    opened = at if isinstance(at, Home) else home.open_(at or _home_of_environment())
    entered = runtime.Runtime(
        role,
        opened,
        settings or config.load(opened.path, os.environ),
        keys or _keys(opened),
    )
    runtime.enter(entered)
    os.environ["DJANGO_SETTINGS_MODULE"] = _MODULES[role]
    django.setup()
    return entered


def _home_of_environment() -> Path:
    named = os.environ.get("CAREPOST_HOME")
    if not named:
        raise ConfigError("No home is named: set CAREPOST_HOME or give --home.")
    return Path(named)


def _keys(opened: Home) -> PurposeKeys:
    fd = os.environ.pop("CAREPOST_KEYS_FD", "")
    if fd:
        return PurposeKeys.from_fd(int(fd))
    return MasterKeyring.open(opened.keyring()).purposes()
