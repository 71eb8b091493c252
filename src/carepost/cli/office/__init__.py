"""The office's administrative commands, inside Django.

`carepost.cli.<noun>` parses; `entry.run` enters Django and calls `carepost.cli.office.<noun>.run`, so that importing a
parser never loads Django. Nothing here decides: each verb is one action or one select of tenancy."""
