"""`ledger serve`, `ledger api`, `ledger project`, `ledger risk`: processes that run until they are told to stop."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, NamedTuple

import typer

from api.command_line.database import migrated_url
from api.command_line.screen import note, say, stop
from api.keys import Pool, create_key, list_keys
from api.risk import watch_over
from api.roles import Role
from ledger import Ledger, collect_seldom
from ledger.postgres import PROJECTIONS, SERVICE, CannotStart, Settings, connect, database_url, open_pool
from ledger.sealer import SealSettings, seal_log
from ledger.signing import signing_key
from projections import runner
from projections.catalogue import ALL
from projections.progress import ensure_tables

JOIN_SECONDS = 30.0
BACKLOG = 2048
EMBEDDED_CHECK_SECONDS = 2.0
READING_CONNECTIONS = 16

Host = Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")]


class Address(NamedTuple):
    host: str
    port: int

    @property
    def url(self) -> str:
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{shown}:{self.port}"


def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run API, projections, seal and the risk engine in one process, until Ctrl-C or SIGTERM."""
    serve_until_stopped(migrated_url(), Address(host, port))


def api(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run the API alone: `ledger project`, `ledger risk` and `ledger seal --follow` must run elsewhere."""
    with stopped_by_signals() as stopping:
        url = migrated_url()
        with Ledger(url) as ledger:
            _serve_api(url, ledger, Address(host, port), stopping)


def project() -> None:
    """Run the projections alone; several processes may, and each projection is led by one of them."""
    url = migrated_url()
    with stopped_by_signals() as stopping, _embedded_server_kept(stopping):
        note("projecting until Ctrl-C or SIGTERM")
        runner.run(url, stopping)


def keep_sealed() -> None:
    """Seals what is recorded and signs checkpoints, until Ctrl-C or SIGTERM."""
    url = migrated_url()
    with stopped_by_signals() as stopping, _embedded_server_kept(stopping):
        # A key that is not there is made, and one that cannot be used is refused, before anything is waited for.
        note(f"sealing until Ctrl-C or SIGTERM; the public key is {signing_key(SealSettings().key_file).public_key}")
        seal_log(url, stopping)


def risk() -> None:
    """Run the risk engine alone: margin wallets are examined and charged their interest; projections run elsewhere.

    Several processes may run it, `ledger serve` too: one leads, the others stand by and take over when it dies.
    """
    with stopped_by_signals() as stopping:
        url = migrated_url()
        _make_tables(url)
        with Ledger(url) as ledger, _embedded_server_kept(stopping):
            collect_seldom()
            note("the risk engine runs until Ctrl-C or SIGTERM")
            watch_over(ledger, url, stopping)


def serve_until_stopped(url: str, address: Address, key_name: str | None = None) -> None:
    """API, projections, seal and risk engine on a migrated database; `key_name` makes an admin key and prints it."""
    with stopped_by_signals() as stopping, ExitStack() as stack:
        _make_tables(url)
        stack.enter_context(_thread("projections", stopping, lambda: runner.run(url, stopping)))
        stack.enter_context(_thread("sealing", stopping, lambda: seal_log(url, stopping)))
        ledger = stack.enter_context(Ledger(url))
        stack.enter_context(_thread("risk", stopping, lambda: watch_over(ledger, url, stopping)))
        _serve_api(url, ledger, address, stopping, key_name)


def _make_tables(url: str) -> None:
    """Makes the tables of projections before anybody asks, so that the first questions of a new ledger find them."""
    with connect(url, application_name="ledger serve", role=PROJECTIONS, autocommit=True) as connection:
        ensure_tables(connection, ALL)


def _serve_api(
    url: str, ledger: Ledger, address: Address, stopping: threading.Event, key_name: str | None = None
) -> None:
    # The web takes longer to import than most commands take to run, so it is left to those that serve.
    from api.app import create_app
    from api.streams.house import Streams
    from api.web_server import Server, server_config

    with ExitStack() as stack:
        listening = stack.enter_context(_listen(address))
        stack.enter_context(_embedded_server_kept(stopping))
        pool = stack.enter_context(
            open_pool(url, application_name="ledger api", role=SERVICE, max_size=READING_CONNECTIONS)
        )
        _announce(pool, Address(address.host, listening.getsockname()[1]), key_name)
        streams = Streams(pool)
        config = server_config(create_app(ledger, pool, streams, console=True), console=True)
        collect_seldom()
        if not stopping.is_set():
            Server(config, streams).run(sockets=[listening])


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, so that everything that was opened is closed in its order."""
    stopping = threading.Event()
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}
    for kind in before:
        # The web server takes the signals over while it runs, and hands them on when it has ended.
        signal.signal(kind, lambda *_: stopping.set())
    try:
        yield stopping
    finally:
        stopping.set()
        for kind, handler in before.items():
            signal.signal(kind, handler)


@contextmanager
def _thread(name: str, stopping: threading.Event, work: Callable[[], object]) -> Iterator[None]:
    """Work beside the API; it is told to stop and waited for at the end."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(JOIN_SECONDS)


@contextmanager
def _embedded_server_kept(stopping: threading.Event) -> Iterator[None]:
    """Starts the embedded server again should somebody kill it; who uses it connects again by himself."""

    def keep() -> None:
        while not stopping.wait(EMBEDDED_CHECK_SECONDS):
            try:
                database_url()
            except CannotStart as error:
                note(str(error))

    if Settings().database_url is not None:
        yield
        return
    with _thread("embedded server", stopping, keep):
        yield


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        stop(f"cannot listen on {address.host} port {address.port}: {error}; choose others with --host and --port")


def _announce(pool: Pool, address: Address, key_name: str | None) -> None:
    """Says where everything is, and how to come in."""
    say(f"listening on {address.url}  documentation {address.url}/docs  health {address.url}/health")
    console = f"console {address.url}/console"
    with pool.connection() as connection:
        has_keys = any(key.revoked_at is None for key in list_keys(connection))
    if key_name is not None:
        with pool.connection() as connection:
            key = create_key(connection, key_name, Role.ADMIN)
        say(f"{console}  sign in with this admin key, shown only now: {key}")
        say(f"curl -H 'Authorization: Bearer {key}' {address.url}/v1/accounts/carol")
    elif has_keys:
        say(f"{console}  sign in with a key; ledger keys create prints a new one")
    else:
        say(f"{console}  there is no key yet: ledger keys create --role admin --name NAME prints one")
    note("Ctrl-C or SIGTERM stops it")
