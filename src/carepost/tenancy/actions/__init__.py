"""Writes of tenancy: one module a noun, one function a verb, `actor` always by name."""
