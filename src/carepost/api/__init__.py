"""The REST API's office part (`/api/v1/`, relayed from the engines' port): history, proofs, retraction, settings.

Never accepts mail (the engine does), never knows a cookie, answers nothing without a key but the OpenAPI document
and the published log keys. Absent and another organisation's answer the same 404; errors are problem+json without PHI.
Doors: urls.urlpatterns; gate.scoped(Scope) for views; openapi.document().
"""
