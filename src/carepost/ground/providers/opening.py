"""From the settings to the provider: its module is loaded only where a keyring names it."""

import importlib
from collections.abc import Mapping

from carepost.ground.errors import ConfigError
from carepost.ground.providers.settings import KINDS, Provider, Settings


def provider(settings: Settings, environ: Mapping[str, str]) -> Provider:
    """Raises ConfigError."""
    if settings.kind not in KINDS:
        raise ConfigError(f"The keyring names a provider {settings.kind!r}; there are: file, {', '.join(KINDS)}.")
    module = importlib.import_module(f"carepost.ground.providers.{settings.kind}")
    made: Provider = module.provider(settings, environ)
    return made
