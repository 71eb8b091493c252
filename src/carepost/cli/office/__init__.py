"""The office's administrative commands: what runs once Django is there. `carepost.cli.<noun>` parses, `entry.run` enters
Django and calls `carepost.cli.office.<noun>.run`; importing a parser never loads Django."""
