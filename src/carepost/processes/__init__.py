"""The processes of one Carepost and who watches them: the only place objects are built.

Never decides anything about mail. Roles: sandbox, engine, journal, staff, outside; each is
`python -m carepost.processes.child ROLE INDEX` under `supervisor.Supervisor`, given only the keys of its purposes.
Doors: supervisor.Supervisor, bootstrap.prepare, roles.ROLES.
"""
