"""The office as the rooms' tests set it up."""

from tests.support.inside import django_db_setup, keys_again

__all__ = ["django_db_setup", "keys_again"]
