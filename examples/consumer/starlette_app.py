"""A consumer with Starlette: the inbox is an endpoint. In FastAPI: `app.add_route("/keeptime", Application(…))`.

Not `Mount`: that answers a path without a slash at its end with a redirect, and keeptime follows none.
"""

import socket

import uvicorn
from printing import port, secret, tell
from starlette.applications import Starlette
from starlette.routing import Route

from keeptime.consumer import Application, Inbox

app = Starlette(routes=[Route("/keeptime", Application(Inbox(secret(), tell)))])

if __name__ == "__main__":
    sock = socket.create_server(("127.0.0.1", port()))
    print(f"listening on http://127.0.0.1:{sock.getsockname()[1]}/keeptime", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([sock])
