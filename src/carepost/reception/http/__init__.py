"""HTTP in: the send path of the API as thin ASGI, `/health`, and a relay that streams the rest to the office.
Never loads Django, never answers 202 before `intake.accept` returned, never says in an error what was in the message.
Doors: `app.App` (ASGI), `server.HttpServer` (uvicorn on a given socket, in the running loop), `relay.Relay`.
"""
