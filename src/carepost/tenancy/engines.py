"""The engines' door as the office's processes reach it."""

from functools import lru_cache

from django.conf import settings

from carepost.ground.errors import Unavailable
from carepost.intake.client import Client


@lru_cache(maxsize=1)
def client() -> Client:
    """The client of this process's home. Its calls raise Unavailable when no engine answers."""
    home = settings.CAREPOST_HOME
    if home is None:
        raise Unavailable("no-home", "This process has no home, so it reaches no engine.")
    return Client(home.run, home.shards, home.node)
