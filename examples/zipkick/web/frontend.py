"""The frontend: a page and a form over the backend that BACKEND_URL names."""

import html
import http.client
import json
import queue
import uuid
from urllib.parse import urlsplit

from server import HttpError, Response

BACKEND_SECONDS = 10
IDLE_CONNECTIONS = 8

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{greeting}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem; color: #222; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; }}
dt {{ color: #666; }} dd {{ margin: 0; }}
blockquote {{ border-left: 3px solid #ccc; margin: 1.5rem 0; padding: .2rem 1rem; }}
input {{ font: inherit; padding: .3rem .5rem; width: 70%; }} button {{ font: inherit; padding: .3rem .8rem; }}
</style>
</head>
<body>
<h1>{greeting}</h1>
<dl>
<dt>Visits</dt><dd>{visits}</dd>
<dt>Cache</dt><dd>{cache}</dd>
<dt>Frontend</dt><dd>{frontend}</dd>
<dt>Backend</dt><dd>{backend}</dd>
</dl>
<blockquote>{note}</blockquote>
<form method="post" action="/"><input name="text" maxlength="500" required placeholder="Leave a note">
<button>Send</button></form>
</body>
</html>
"""


class Frontend:
    def __init__(self, name, backend_url, greeting):
        self._name = name
        self._greeting = greeting
        self._backend = BackendClient(backend_url)

    def handle(self, request):
        # Does not ask the backend: the two are replaced at different times.
        if (request.method, request.path) == ("GET", "/healthz"):
            return Response({"status": "ok", "frontend": self._name})
        if request.path != "/":
            raise HttpError(404, f"nothing at {request.path}")
        return self._show(request) if request.method == "GET" else self._add_note(request)

    def _show(self, request):
        status, summary = self._backend.call("GET", "/api/")
        if status != 200:
            raise HttpError(502, f"the backend answered {status}: {summary.get('error', '')}")
        shown = {"greeting": self._greeting, "frontend": self._name, **summary}
        if request.wants_json():
            return Response(shown)
        shown["note"] = shown["note"] or "No notes yet."
        escaped = {key: html.escape(str(value)) for key, value in shown.items()}
        return Response(PAGE.format(**escaped), content_type="text/html")

    def _add_note(self, request):
        fields = {"id": str(uuid.uuid4()), **request.fields()}
        status, answer = self._backend.call("POST", "/api/notes", fields)
        if status != 201:
            raise HttpError(status if status < 500 else 502, answer.get("error", f"the backend answered {status}"))
        if request.wants_json():
            return Response({"frontend": self._name, **answer}, 201)
        return Response("", 303, "text/plain", [("Location", "/")])


class BackendClient:
    """Calls with kept-alive connections. A call whose connection breaks is made once more: reading is
    harmless, and notes carry an identifier that keeps them from being added twice."""

    def __init__(self, url):
        parts = urlsplit(url)
        self._host = parts.hostname
        self._port = parts.port or 80
        self._idle = queue.LifoQueue(IDLE_CONNECTIONS)

    def call(self, method, path, fields=None):
        body = json.dumps(fields) if fields is not None else None
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._connect()
        for last_attempt in (False, True):
            try:
                return self._exchange(connection, method, path, body)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if last_attempt:
                    raise HttpError(502, f"the backend cannot be reached: {type(error).__name__}") from error
                connection = self._connect()
        raise AssertionError("unreachable")

    def _connect(self):
        return http.client.HTTPConnection(self._host, self._port, timeout=BACKEND_SECONDS)

    def _exchange(self, connection, method, path, body):
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read()
        if response.will_close:
            connection.close()
        else:
            try:
                self._idle.put_nowait(connection)
            except queue.Full:
                connection.close()
        try:
            return response.status, json.loads(text)
        except ValueError:
            # A load balancer without a backend answers with a page of its own.
            return response.status, {"error": "not JSON"}
