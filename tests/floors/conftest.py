"""The floors look at the office's tables and URLs inside Django (`tests.support.inside`)."""

from tests.support.inside import django_db_setup, outside_face

__all__ = ["django_db_setup", "outside_face"]
