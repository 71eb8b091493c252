"""Looks shared by the faces: vendored assets, base templates, small components, template filters.

Holds no URL, no model and no decision; reads nothing but what a view hands to a template.
Never loads anything from another origin, never needs script to be usable, never puts PHI into a title.
Doors: templates `carepost/staff.html`, `carepost/recipient.html`, `carepost/parts/*`; tags `carepost_ui`;
`ui.times` (times in words), `ui.uploads` (files kept in memory), `ui.headers` (sent with every page).
"""
