"""Migrations are complete: no model differs from what its migrations make. Exits 1 and says which when one does."""

import os
import sys

os.environ["CAREPOST_SETTINGS_CHECK"] = "1"
os.environ["DJANGO_SETTINGS_MODULE"] = "carepost.settings.everything"

import django
from django.core.management import call_command


def main() -> int:
    django.setup()
    try:
        call_command("makemigrations", check=True, dry_run=True, skip_checks=True, verbosity=1)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
