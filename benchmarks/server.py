"""The benchmark's own PostgreSQL in a folder of its own, which must be durable, and the machine in plain words."""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.embedded import EmbeddedServer
from ledger.postgres import connect, migrate

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
PREFIX = "ledger-benchmark-"


class NotDurable(RuntimeError):
    """Figures of a server that may forget what it has confirmed are worth nothing."""


class Databases:
    """The databases of one server; each contender's world has its own, all made from the same set-up."""

    def __init__(self, url: str) -> None:
        self.first = url

    def named(self, name: str) -> str:
        """The URL of a database of this server."""
        return make_conninfo(self.first, dbname=name)

    def empty(self, name: str) -> str:
        """A new database without anything in it."""
        return self._create(name, sql.SQL("template0"))

    def migrated(self, name: str) -> str:
        """A new database that a Ledger can use."""
        url = self.empty(name)
        migrate(url)
        return url

    def copied(self, name: str) -> str:
        """A new database like the first one, file by file; nobody may be connected to that one."""
        return self._create(name, sql.Identifier(str(conninfo_to_dict(self.first)["dbname"])))

    def drop(self, name: str) -> None:
        """Drops one that nobody is connected to any more, or will be cut off."""
        with connect(self.named("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def _create(self, name: str, template: sql.Composable) -> str:
        creation = sql.SQL("create database {} template {} strategy file_copy")
        with connect(self.named("postgres"), autocommit=True) as connection:
            connection.execute(creation.format(sql.Identifier(name), template))
        return self.named(name)


@contextmanager
def benchmark_server() -> Iterator[Databases]:
    """A fresh embedded server, stopped and removed at the end, whatever happened."""
    home = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with server_of(home) as databases:
            yield databases
    finally:
        shutil.rmtree(home)


@contextmanager
def server_of(home: Path) -> Iterator[Databases]:
    """The embedded server of a folder, which stays, with all that is in it; stopped at the end."""
    # The server's own user must pass through.
    home.chmod(0o711)
    server = EmbeddedServer(home)
    try:
        url = server.attach()
        require_durable(url)
        migrate(url)
        yield Databases(url)
    finally:
        server.detach()


def require_durable(url: str) -> None:
    """Refuse with NotDurable unless a commit is on the disk before it is confirmed."""
    with connect(url) as connection:
        shown = {name: str(_show(connection.execute(f"show {name}").fetchone())) for name in DURABLE}
    if shown != DURABLE:
        raise NotDurable(f"the server runs with {shown}; the benchmark measures with {DURABLE} only")


def describe_machine(url: str) -> dict[str, str | int | float]:
    """Where the figures were made, in plain words."""
    with connect(url) as connection:
        version = str(_show(connection.execute("show server_version").fetchone()))
        durability = {name: str(_show(connection.execute(f"show {name}").fetchone())) for name in DURABLE}
    return {
        **describe_host(),
        "postgresql": version,
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        **durability,
    }


def describe_host() -> dict[str, str | int | float]:
    """The machine itself."""
    return {
        "cores": os.cpu_count() or 1,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
    }


def resident_mb(process: int | str = "self") -> float:
    """The resident size of a process in megabytes of 2^20 bytes, as Linux counts it."""
    return _memory_mb(process, "VmRSS")


def peak_resident_mb(process: int | str = "self") -> float:
    """The largest resident size that a process ever had, in the same unit."""
    return _memory_mb(process, "VmHWM")


def _memory_mb(process: int | str, field: str) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/{process}/status names no {field}")


def _show(row: tuple[object, ...] | None) -> object:
    return row[0] if row else None


def _processor() -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.machine()
