"""A proxy before PostgreSQL that can cut a connection right before, or right after, a commit reaches the server."""

import contextlib
import socket
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.storage import RECORD

PORT = 5432
# How a call of the prepared statement that records a batch begins, after the name of its portal, which is empty.
RECORDING = f"\0{RECORD.name}\0".encode()
Moment = Literal["before the commit", "after the commit"]


class CuttingProxy:
    """Passes everything on, until `cut_next` names a moment: then the next commit's connection is cut there, once."""

    def __init__(self, url: str) -> None:
        server = conninfo_to_dict(url)
        self._host, self._port = str(server.get("host", "localhost")), int(server.get("port") or PORT)
        self._folder = tempfile.TemporaryDirectory(prefix="proxy-")
        # In clear, so that the proxy can read what it passes on.
        self.url = make_conninfo(url, host=self._folder.name, port=PORT, sslmode="disable", gssencmode="disable")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(Path(self._folder.name) / f".s.PGSQL.{PORT}"))
        self._listener.listen()
        self._moments: list[Moment] = []
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.close()
        self._folder.cleanup()

    def cut_next(self, *moments: Moment) -> None:
        """Cut the connections of the next commits, one at each of these moments."""
        self._moments.extend(moments)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connect()
                threading.Thread(target=self._pass_queries, args=(client, server), daemon=True).start()
                threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()

    def _connect(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return server

    def _pass_queries(self, client: socket.socket, server: socket.socket) -> None:
        is_in_transaction = False
        with client, server, contextlib.suppress(OSError):
            while sent := client.recv(65536):
                # A batch that is recorded by one call is committed with it, unless it is part of a transaction.
                commits = b"COMMIT\0" in sent or (RECORDING in sent and not is_in_transaction)
                is_in_transaction = (is_in_transaction or b"BEGIN" in sent) and b"COMMIT\0" not in sent
                if commits and self._moments:
                    self.cuts += 1
                    # No answer may slip through any more, whatever becomes of the commit.
                    client.shutdown(socket.SHUT_RDWR)
                    if self._moments.pop(0) == "after the commit":
                        server.sendall(sent)
                    server.shutdown(socket.SHUT_WR)
                    return
                server.sendall(sent)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while received := source.recv(65536):
            target.sendall(received)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
