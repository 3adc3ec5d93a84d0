"""The embedded PostgreSQL: one server for each home folder, shared by every process that uses it.

Two locked files in the home folder say all that must be known, and both are let go by the kernel whatever dies:

- `server.lock` is held exclusively. Its descriptor is inherited by the server and by its children, so that it is
  held exactly while a process of that cluster lives. Who gets the lock starts the server; who does not attaches.
- `users.lock` is shared by all processes that use the server. Who lets go last, on a clean exit, stops the server
  with SIGINT (a fast shutdown). A process that is killed stops nothing: when all users were killed the server runs
  on, the next start attaches to it, and the last clean exit after that stops it.

A data folder is made beside its place and renamed when it is whole, so that an initdb cut short leaves nothing that
would be believed later.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

import psycopg

from ledger.binaries import CannotStart, ServerUser, find_binaries

DATABASE = "ledger"
ROLE = "ledger"
PORT = 5432
# The field sun_path of a unix socket's address holds 108 bytes, the closing zero included.
LONGEST_SOCKET_PATH_BYTES = 107
# Recovery after a crash replays at most max_wal_size (4 GB) and has needed seconds; a slow disk is given time.
START_TIMEOUT_SECONDS = 300.0
STOP_TIMEOUT_SECONDS = 60.0
PAUSE_SECONDS = 0.02
# A server that somebody kills while it starts is started again; one that ends by itself so often has a reason.
MOST_STARTS = 3
LARGEST_LOG_BYTES = 10_000_000

INITDB_OPTIONS = [
    f"--username={ROLE}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--no-instructions",
]
SERVER_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
# After each checkpoint the first row on a page journals the whole page: with keys spread over indexes, be seldom.
SERVER_OPTIONS |= {"max_wal_size": "4GB", "checkpoint_timeout": "15min", "wal_compression": "on"}
SERVER_OPTIONS |= {"shared_buffers": "512MB"}


class EmbeddedServer:
    """One home folder's server, as one process sees it; `attach` may be called again whenever it seems gone."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.data = self.home / "data"
        self._users: IO[str] | None = None
        self._users_process = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> str:
        return self.attach()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.detach()

    @property
    def socket_folder(self) -> Path:
        """Where the unix socket lies: in the home folder, or under /tmp when its path is one that libpq cannot take."""
        inside = self.home / "socket"
        # libpq reads a comma as the end of one host and the beginning of another.
        if len(os.fsencode(_socket_file(inside))) <= LONGEST_SOCKET_PATH_BYTES and "," not in str(inside):
            return inside
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path("/tmp") / f"margin-ledger-{name}"

    @property
    def url(self) -> str:
        """The libpq URL of the ledger's database on this server."""
        return self._url_of(DATABASE)

    def attach(self, timeout_seconds: float = START_TIMEOUT_SECONDS) -> str:
        """Registers this process as a user, starts the server unless it runs, and returns the database's URL.

        Waits through recovery. Refuses with CannotStart, whose message ends with the server's own words.
        """
        deadline = time.monotonic() + timeout_seconds
        starts = 0
        _make_home(self.home)
        self._become_user(deadline)
        while True:
            starts += self._start_if_down()
            try:
                self._create_database()
            except psycopg.OperationalError as error:
                if starts > MOST_STARTS:
                    raise CannotStart(f"PostgreSQL in {self.home} ends as it starts:\n{self._last_words()}") from error
                if time.monotonic() > deadline:
                    raise CannotStart(f"PostgreSQL in {self.home} does not answer yet ({error}): try again") from error
                time.sleep(PAUSE_SECONDS)
            else:
                return self.url

    def detach(self) -> None:
        """Lets the server go, and stops it when nobody else uses it; without an attach before, only the latter."""
        if not self.home.exists():
            return
        self._forget_users()
        with _open_private(self.home / "users.lock") as users:
            # Whoever starts meanwhile waits for this lock, and so never attaches to a server that is going down.
            if _try_lock(users, fcntl.LOCK_EX):
                self._stop()
        self._forget_process()

    def is_running(self) -> bool:
        """Whether a process of this cluster lives, also one that is starting or going down."""
        with _open_private(self.home / "server.lock") as lock:
            return not _try_lock(lock, fcntl.LOCK_EX)

    def _url_of(self, database: str) -> str:
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.socket_folder), safe='')}&port={PORT}"

    def _become_user(self, deadline: float) -> None:
        if self._users is not None and self._users_process == os.getpid():
            return
        # After a fork the child holds a part of its parent's lock: it takes one of its own.
        self._forget_users()
        users = _open_private(self.home / "users.lock")
        while not _try_lock(users, fcntl.LOCK_SH):
            if time.monotonic() > deadline:
                users.close()
                raise CannotStart(f"the server in {self.home} is being stopped by a process that does not finish")
            time.sleep(PAUSE_SECONDS)
        self._forget_process()
        self._users, self._users_process = users, os.getpid()

    def _forget_users(self) -> None:
        if self._users is not None:
            self._users.close()
            self._users = None

    def _forget_process(self) -> None:
        if self._process is not None:
            # The server may live longer than its starter, which is no fault for Popen to warn of.
            self._process.returncode = self._process.poll() or 0
            self._process = None

    def _start_if_down(self) -> bool:
        with _open_private(self.home / "server.lock") as lock:
            if not _try_lock(lock, fcntl.LOCK_EX):
                return False
            self._forget_process()
            user = ServerUser.for_data(self.data)
            user.require_path_to(self.home)
            binaries = find_binaries(self.home, user)
            user.own_folder(self.socket_folder)
            if not self.data.exists():
                self._make_data(binaries, user, lock.fileno())
            self._process = self._launch(binaries, user, lock.fileno())
            return True

    def _make_data(self, binaries: Path, user: ServerUser, lock: int) -> None:
        # The lock is ours and initdb inherits it, so nobody works in what an earlier attempt left behind.
        for unfinished in self.home.glob("data.new-*"):
            shutil.rmtree(unfinished)
        unfinished = Path(tempfile.mkdtemp(prefix="data.new-", dir=self.home))
        user.take_over(unfinished)
        command = [str(binaries / "initdb"), f"--pgdata={unfinished}", *INITDB_OPTIONS]
        status = self._run(command, user, lock, {}).wait()
        if status != 0:
            raise CannotStart(f"initdb in {self.home} ended with status {status}:\n{self._last_words()}")
        unfinished.rename(self.data)

    def _launch(self, binaries: Path, user: ServerUser, lock: int) -> "subprocess.Popen[bytes]":
        # The setting is a list of folders, in which a quoted name may hold any sign.
        quoted_folder = '"' + str(self.socket_folder).replace('"', '""') + '"'
        options = SERVER_OPTIONS | {"port": str(PORT), "unix_socket_directories": quoted_folder}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        # Under the lock a pid file that is left over is a dead server's, though another process may bear its number
        # by now. PostgreSQL believes a number that is its grandparent's to be stale.
        left_over = self._recorded_process()
        environment = {"PG_GRANDPARENT_PID": str(left_over)} if left_over else {}
        return self._run([str(binaries / "postgres"), "-D", str(self.data), *settings], user, lock, environment)

    def _run(
        self, command: list[str], user: ServerUser, lock: int, environment: dict[str, str]
    ) -> "subprocess.Popen[bytes]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        with _open_private(self.home / "server.log") as output:
            if output.tell() > LARGEST_LOG_BYTES:
                output.truncate(0)
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.home,
                env=inherited | environment,
                pass_fds=[lock],
                # A Ctrl-C at the terminal is for the ledger, which stops the server in its own time.
                start_new_session=True,
                **user.popen_options,
            )

    def _create_database(self) -> None:
        with psycopg.connect(self._url_of("postgres"), autocommit=True, connect_timeout=10) as connection:
            if connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchone() is not None:
                return
            try:
                connection.execute(f"create database {DATABASE}")
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return  # Another process that started at the same time has made it.

    def _stop(self) -> None:
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        signalled = False
        while self.is_running() and time.monotonic() < deadline:
            if self._process is not None:
                self._process.poll()
            # Only a living server accepts on its socket, so the recorded number is then truly its own.
            if not signalled and _accepts(self.socket_folder) and (process := self._recorded_process()):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGINT)
                signalled = True
            time.sleep(PAUSE_SECONDS)

    def _recorded_process(self) -> int | None:
        """The number of the server's process as its pid file has it, or None."""
        try:
            first_line = (self.data / "postmaster.pid").read_text().partition("\n")[0].strip()
        except FileNotFoundError:
            return None
        return int(first_line) if first_line.isdecimal() else None

    def _last_words(self) -> str:
        return "\n".join((self.home / "server.log").read_text(errors="replace").splitlines()[-10:])


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True)
        # The server's user must pass through when it is not the caller's own.
        home.chmod(0o755 if os.geteuid() == 0 else 0o700)
    except FileExistsError:
        if not home.is_dir():
            raise CannotStart(f"LEDGER_HOME={home} is not a folder") from None
    except OSError as error:
        raise CannotStart(f"LEDGER_HOME={home} cannot be made: {error}") from error
    if os.geteuid() not in (0, home.stat().st_uid):
        raise CannotStart(f"LEDGER_HOME={home} belongs to user {home.stat().st_uid}: set it to a folder of your own")


def _open_private(file: Path) -> IO[str]:
    """Opens a file to append to it; nobody else may, since whoever can open a file can also lock it."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, mode=0o600)
    if os.geteuid() == 0:
        # What root opens in a user's home stays that user's.
        owner = file.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return os.fdopen(descriptor, "a")


def _try_lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _socket_file(folder: Path) -> str:
    return str(folder / f".s.PGSQL.{PORT}")


def _accepts(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(_socket_file(folder))
        except OSError:
            return False
        return True
