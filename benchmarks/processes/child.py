"""A process of the benchmark's own, asked and answering in lines of JSON over its standard input and output."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

STOP_SECONDS = 30.0
LAST_WORDS_CHARACTERS = 4_000

Message = dict[str, Any]


class ChildFailed(RuntimeError):
    """A process of the benchmark ended before it had answered; the message ends with its own words."""


class Child:
    """A Python program that runs beside; `code` is run where no module is named."""

    def __init__(
        self,
        *arguments: str,
        module: str = "",
        code: str = "",
        takes_messages: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._name = module or code
        self._takes_messages = takes_messages
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 -- it lives as long as the process
        program = ["-m", module] if module else ["-c", code]
        self._process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=subprocess.PIPE if takes_messages else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env={**os.environ, **(environment or {})},
        )

    @property
    def processor_seconds(self) -> float:
        """The processor time that it has taken so far, its own and the system's for it, as Linux counts it."""
        return processor_seconds(self._process.pid)

    def tell(self, message: Message) -> None:
        """Send a line without waiting for an answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def hear_line(self) -> str:
        """The next line it prints."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildFailed(f"{self._name} ended with status {self._process.wait()}:\n{self._last_words()}")
        return line.decode()

    def hear(self) -> Message:
        """The next message it sends."""
        message: Message = json.loads(self.hear_line())
        return message

    def ask(self, message: Message) -> Message:
        """Tell, and hear."""
        self.tell(message)
        return self.hear()

    def close(self) -> None:
        """Let it end: who takes messages ends when there are no more, a server is told to stop."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not self._takes_messages:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._complaints.close()

    def _last_words(self) -> str:
        self._complaints.seek(0)
        return self._complaints.read().decode(errors="replace")[-LAST_WORDS_CHARACTERS:]


def processor_seconds(process: int, *, with_ended: bool = False) -> float:
    """The processor time of a process as Linux counts it, with that of its children that have ended if asked for."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if with_ended else 13])) / os.sysconf("SC_CLK_TCK")


def messages() -> Iterator[Message]:
    """In the child: what is asked, until the input is closed."""
    for line in sys.stdin.buffer:
        yield json.loads(line)


def answer(message: Message) -> None:
    """In the child: one line back."""
    print(json.dumps(message), flush=True)
