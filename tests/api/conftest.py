"""The office as the rooms' tests set it up."""

from tests.support.inside import django_db_setup

__all__ = ["django_db_setup"]
