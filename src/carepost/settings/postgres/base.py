"""PostgreSQL for the office; row security needs to know the organisation in each transaction."""

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    pass
