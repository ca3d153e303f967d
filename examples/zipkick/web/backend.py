"""The backend: counts visits and keeps notes in PostgreSQL, with the newest note cached in Redis."""

import time
import uuid

from server import HttpError, Response
from store import Cache, Database, Unavailable

# Health checks of several load balancers ask PostgreSQL once in this time.
HEALTH_SECONDS = 1.0


class Backend:
    def __init__(self, name, database_url, cache_url):
        self._name = name
        self._database = Database(database_url)
        self._cache = Cache(cache_url)
        self._healthy_until = 0.0
        try:
            self._database.prepare()
        except Unavailable as error:
            # Its tables are made by the first request that misses them.
            print(f"PostgreSQL is not there yet: {error}", flush=True)

    def handle(self, request):
        routes = {
            ("GET", "/healthz"): self._health,
            ("GET", "/api/"): self._visit,
            ("GET", "/api/count"): self._count,
            ("GET", "/api/notes"): self._notes,
            ("POST", "/api/notes"): self._add_note,
        }
        route = routes.get((request.method, request.path))
        if route is None:
            raise HttpError(404, f"nothing at {request.method} {request.path}")
        try:
            return route(request)
        except Unavailable as error:
            raise HttpError(503, f"PostgreSQL is unavailable: {error}") from error

    def _health(self, _request):
        if time.monotonic() >= self._healthy_until:
            self._database.ping()
            self._healthy_until = time.monotonic() + HEALTH_SECONDS
        return Response({"status": "ok", "backend": self._name})

    def _visit(self, _request):
        visits = self._database.count_visit()
        note, state = self._newest_note()
        return Response({"backend": self._name, "visits": visits, "cache": state, "note": note})

    def _count(self, _request):
        return Response({"backend": self._name, "visits": self._database.visits()})

    def _notes(self, _request):
        return Response({"backend": self._name, "notes": self._database.notes()})

    def _add_note(self, request):
        fields = request.fields()
        text = fields.get("text", "").strip()
        if not text or len(text) > 500:
            raise HttpError(422, "text must have 1 to 500 characters")
        # The sender may name the note, so that sending it again after a broken connection adds no second one.
        try:
            identifier = str(uuid.UUID(fields["id"])) if "id" in fields else str(uuid.uuid4())
        except ValueError as error:
            raise HttpError(422, "id must be a UUID") from error
        self._database.add_note(identifier, text)
        self._cache.forget_note()
        return Response({"backend": self._name, "id": identifier, "text": text}, 201)

    def _newest_note(self):
        """The newest note, and where it came from: "hit", "miss", "unavailable" or "none"."""
        note, state = self._cache.note()
        if state == "hit":
            return note, state
        note = self._database.newest_note()
        if state == "miss":
            self._cache.keep_note(note)
        return note, state
