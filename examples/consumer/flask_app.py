"""A consumer with Flask: an inbox, and one route of two lines."""

from flask import Flask, request
from printing import port, secret, tell
from werkzeug.serving import make_server

from keeptime.consumer import Inbox

inbox = Inbox(secret(), tell)
app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = inbox.verifier.largest


@app.post("/keeptime")
def keeptime() -> tuple[str, int]:
    answer = inbox.take(request.headers, request.get_data())
    return answer.text, answer.status


if __name__ == "__main__":
    server = make_server("127.0.0.1", port(), app, threaded=True)
    print(f"listening on http://127.0.0.1:{server.server_port}/keeptime", flush=True)
    server.serve_forever()
