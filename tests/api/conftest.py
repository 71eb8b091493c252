"""The office as the rooms' tests set it up."""

from tests.rooms.conftest import django_db_setup

__all__ = ["django_db_setup"]
