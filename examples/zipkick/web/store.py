"""PostgreSQL and Redis, with connections that are made again after the other side was replaced."""

import queue

import psycopg2
import redis

SCHEMA = """
    SELECT pg_advisory_xact_lock(7215);
    CREATE TABLE IF NOT EXISTS visits (singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), total bigint NOT NULL);
    CREATE TABLE IF NOT EXISTS notes (
        id uuid PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), text text NOT NULL);
    INSERT INTO visits (total) VALUES (0) ON CONFLICT DO NOTHING;
"""
# Idle connections kept; more are opened while more requests are under way.
IDLE_CONNECTIONS = 8
NOTE_KEY = "zipkick:newest-note"
NOTE_SECONDS = 10


class Unavailable(Exception):
    """The database cannot be reached, or did not confirm."""


class Database:
    def __init__(self, url):
        self._url = url
        self._idle = queue.LifoQueue(IDLE_CONNECTIONS)

    def prepare(self):
        self._transaction(lambda cursor: cursor.execute(SCHEMA))

    def ping(self):
        self._transaction(lambda cursor: cursor.execute("SELECT 1"))

    def count_visit(self):
        return self._transaction(
            lambda cursor: _value(cursor, "UPDATE visits SET total = total + 1 RETURNING total"))

    def visits(self):
        return self._transaction(lambda cursor: _value(cursor, "SELECT total FROM visits"))

    def notes(self):
        def read(cursor):
            cursor.execute("SELECT id::text, written::text, text FROM notes ORDER BY written DESC LIMIT 20")
            return [{"id": row[0], "written": row[1], "text": row[2]} for row in cursor.fetchall()]
        return self._transaction(read)

    def newest_note(self):
        return self._transaction(
            lambda cursor: _value(cursor, "SELECT text FROM notes ORDER BY written DESC LIMIT 1"))

    def add_note(self, identifier, text):
        self._transaction(lambda cursor: cursor.execute(
            "INSERT INTO notes (id, text) VALUES (%s, %s) ON CONFLICT (id) DO NOTHING", (identifier, text)))

    def _transaction(self, work):
        """Runs work(cursor) and commits. A connection that died while it was idle is replaced once by a new
        one; after the commit was sent nothing is repeated, because it may have happened."""
        connection, fresh = self._take()
        try:
            try:
                result = self._run(connection, work)
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                connection.close()
                if fresh:
                    raise
                self._drop_idle()
                connection = self._connect()
                result = self._run(connection, work)
            connection.commit()
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            connection.close()
            raise Unavailable(str(error).strip().splitlines()[0] if str(error) else "no answer") from error
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)
        return result

    @staticmethod
    def _run(connection, work):
        with connection.cursor() as cursor:
            try:
                return work(cursor)
            except psycopg2.errors.UndefinedTable:
                # A database that is new, or was replaced by an empty one.
                connection.rollback()
                cursor.execute(SCHEMA)
                connection.commit()
                return work(cursor)

    def _take(self):
        try:
            return self._idle.get_nowait(), False
        except queue.Empty:
            try:
                return self._connect(), True
            except psycopg2.OperationalError as error:
                raise Unavailable(str(error).strip().splitlines()[0]) from error

    def _give_back(self, connection):
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()

    def _drop_idle(self):
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return

    def _connect(self):
        return psycopg2.connect(
            self._url, connect_timeout=3, keepalives_idle=10, keepalives_interval=3, keepalives_count=3,
            tcp_user_timeout=5000, options="-c statement_timeout=5000", application_name="zipkick")


class Cache:
    """What Redis holds is only ever a copy, so nothing fails when Redis does."""

    def __init__(self, url):
        self._client = None
        if url:
            self._client = redis.Redis.from_url(
                url, socket_timeout=1, socket_connect_timeout=1, health_check_interval=10, decode_responses=True)

    def note(self):
        """The note, and "hit", "miss", "unavailable" or "none" (there is no cache)."""
        if self._client is None:
            return None, "none"
        try:
            text = self._client.get(NOTE_KEY)
        except redis.RedisError:
            return None, "unavailable"
        return (text, "hit") if text is not None else (None, "miss")

    def keep_note(self, text):
        if text is not None:
            self._quietly(lambda: self._client.set(NOTE_KEY, text, ex=NOTE_SECONDS))

    def forget_note(self):
        self._quietly(lambda: self._client.delete(NOTE_KEY))

    def _quietly(self, work):
        if self._client is None:
            return
        try:
            work()
        except redis.RedisError:
            pass  # The entry runs out by itself.


def _value(cursor, statement):
    cursor.execute(statement)
    row = cursor.fetchone()
    return row[0] if row else None
