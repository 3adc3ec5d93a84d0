"""Runs a benchmark as a program."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def run_benchmark(module: str, *arguments: str) -> dict[str, Any]:
    """The JSON object that it ends with, once its folder is known to be gone."""
    # Short, as the path of a unix socket is bounded, and one that the server's own user may pass through.
    temporary = Path(tempfile.mkdtemp(prefix="lb-"))
    temporary.chmod(0o711)
    try:
        command = [sys.executable, "-m", module, *arguments]
        environment = {**os.environ, "TMPDIR": str(temporary)}
        root = Path(__file__).parents[2]
        done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert list(temporary.iterdir()) == []
    finally:
        temporary.rmdir()
    content: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return content
