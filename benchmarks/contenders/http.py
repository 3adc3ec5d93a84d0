"""POST /v1/commands: 500 commands a request, one a request, and what an empty FastAPI handler takes for the latter."""

import json
from urllib.parse import urlsplit

from api.keys import create_key
from api.roles import Role
from benchmarks.measuring import Pace, Turn, Wait
from benchmarks.processes.child import Child, Message
from benchmarks.tally import CommandsLost, Tally
from benchmarks.workload import Population, Script, Stream
from ledger.postgres import connect

BULK_COMMANDS, BULK_CLIENTS = 500, 8
SINGLE_CLIENTS = 64
GUESSED_BULK_RATE, GUESSED_SINGLE_RATE, GUESSED_EMPTY_RATE = 4_000.0, 1_500.0, 3_000.0
RUN_LEDGER = "from api.cli import main; main()"


class Server:
    """A web server in a process of its own, on a port of its own choice."""

    def __init__(self, child: Child, authorization: str = "Bearer none") -> None:
        self.authorization = authorization
        self._child = child
        try:
            said = child.hear_line()
            self.port = urlsplit(said.removeprefix("listening on ").split()[0]).port
        except BaseException:
            child.close()
            raise

    def close(self) -> None:
        self._child.close()


def serve_ledger(url: str) -> Server:
    """`ledger api`, as anybody starts it, and a key for it of the one role that may send every kind of command."""
    with connect(url, autocommit=True) as connection:
        key = create_key(connection, "benchmark", Role.ADMIN)
    # Its own server is named, not its home: that of the benchmark is kept by the benchmark.
    environment = {"LEDGER_DATABASE_URL": url}
    child = Child("api", "--port", "0", code=RUN_LEDGER, takes_messages=False, environment=environment)
    return Server(child, f"Bearer {key}")


def serve_empty() -> Server:
    """The empty handler."""
    return Server(Child(module="benchmarks.processes.empty_handler", takes_messages=False))


class Sender:
    """The client's process, which all three contenders use in turn."""

    def __init__(self) -> None:
        self._child = Child(module="benchmarks.processes.http_client")

    def send(self, server: Server, clients: int, bodies: list[str], commands: int) -> tuple[Turn, Message]:
        """One turn of bodies that hold so many commands altogether."""
        load = {"port": server.port, "authorization": server.authorization, "clients": clients, "bodies": bodies}
        told = self._child.ask(load)
        waits = [Wait(milliseconds, commands // len(bodies)) for milliseconds in told["milliseconds"]]
        return Turn(commands, told["seconds"], waits, Tally.of_message(told["tally"])), told

    def close(self) -> None:
        self._child.close()


def send_bulk(sender: Sender, server: Server, script: Script) -> Turn:
    """A script in requests of 500 commands by 8 clients."""
    starts = range(0, len(script.commands), BULK_COMMANDS)
    bodies = [json.dumps(script.commands[start : start + BULK_COMMANDS]) for start in starts]
    turn, _ = sender.send(server, BULK_CLIENTS, bodies, len(script.commands))
    return turn


class HttpBulk:
    """Requests of 500 commands, 8 clients."""

    name = "http_bulk"

    def __init__(self, sender: Sender, server: Server, population: Population) -> None:
        self._sender, self._server = sender, server
        self._stream = Stream("http-bulk", population)
        self._pace = Pace(GUESSED_BULK_RATE, BULK_COMMANDS)

    def turn(self, seconds: float) -> Turn:
        script = self._stream.script(self._pace.commands(seconds))
        turn = send_bulk(self._sender, self._server, script)
        assert turn.tally is not None
        turn.tally.planned(script)
        return self._pace.learn(turn)

    def close(self) -> None:
        """The processes are closed by who made them."""


class HttpSingle:
    """Requests of one command, 64 clients; `bodies` are those of its last turn."""

    name = "http_single"

    def __init__(self, sender: Sender, server: Server, population: Population) -> None:
        self._sender, self._server = sender, server
        self._stream = Stream("http-single", population)
        self._pace = Pace(GUESSED_SINGLE_RATE, SINGLE_CLIENTS)
        self.bodies: list[str] = []

    def turn(self, seconds: float) -> Turn:
        script = self._stream.script(self._pace.commands(seconds))
        self.bodies = [json.dumps(command) for command in script.commands]
        turn, _ = self._sender.send(self._server, SINGLE_CLIENTS, self.bodies, len(self.bodies))
        assert turn.tally is not None
        turn.tally.planned(script)
        return self._pace.learn(turn)

    def close(self) -> None:
        """The processes are closed by who made them."""


class HttpEmpty:
    """The same bodies as in the turn before, by the same clients, to the handler that does nothing with them."""

    name = "http_empty"

    def __init__(self, sender: Sender, server: Server, single: HttpSingle) -> None:
        self._sender, self._server, self._single = sender, server, single
        self._pace = Pace(GUESSED_EMPTY_RATE, SINGLE_CLIENTS)

    def turn(self, seconds: float) -> Turn:
        count, there = self._pace.commands(seconds), self._single.bodies
        bodies = (there * -(-count // len(there)))[:count]
        turn, told = self._sender.send(self._server, SINGLE_CLIENTS, bodies, count)
        if set(told["statuses"]) != {"200"}:
            raise CommandsLost(f"the empty handler answered {told['statuses']}")
        turn.tally = None
        return self._pace.learn(turn)

    def close(self) -> None:
        """The processes are closed by who made them."""
