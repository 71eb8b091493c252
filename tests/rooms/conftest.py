"""Rooms of the office are tested inside Django (`tests.support.inside`)."""

from tests.support.inside import django_db_setup, keys_again, outside_face

__all__ = ["django_db_setup", "keys_again", "outside_face"]
