"""All apps of the office in one process, for tests, type checking and migrations. The URLs are the console's."""

from carepost.settings.outside import INSTALLED_APPS as _OUTSIDE
from carepost.settings.staff import *  # noqa: F403
from carepost.settings.staff import INSTALLED_APPS as _STAFF

INSTALLED_APPS = list(dict.fromkeys([*_STAFF, *_OUTSIDE]))
