"""Django's PostgreSQL backend with the organisation of `tenancy.scope` set in every transaction (row security)."""
