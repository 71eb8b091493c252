"""Carepost: secure e-mail for healthcare that an organisation runs itself."""

__version__ = "0.1.0"
