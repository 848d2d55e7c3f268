"""Graphviz in a process of its own, with a time limit: nothing it does can hang or litter the caller."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Timer
from typing import IO

from graphdl.errors import DrawError

TIME_LIMIT = 20.0

_WORKER = Path(__file__).with_name("worker.py")
_MISSING = 3


@dataclass(frozen=True)
class Request:
    """A graph in DOT, the engine that lays it out, the format to make, and more arguments."""

    dot: str
    prog: str
    format: str
    args: str = ""


def run(dot: str, prog: str, format: str, args: str = "", time_limit: float = TIME_LIMIT) -> bytes:
    """What Graphviz makes of `dot` with the engine `prog`, in `format`; stopped after `time_limit` seconds."""
    (answer,) = run_all([Request(dot, prog, format, args)], time_limit)
    return answer


def run_all(requests: Iterable[Request], time_limit: float = TIME_LIMIT) -> Iterator[bytes]:
    """The answer to each request, all by one process, since starting one takes longer than most pictures.

    Each answer may take `time_limit` seconds. DrawError when one takes longer, fails, or pygraphviz is missing.
    """
    with tempfile.TemporaryFile() as said, _started(said) as worker:
        try:
            for request in requests:
                yield _asked(worker, request, time_limit, said)
        finally:
            worker.kill()
            _close(worker.stdin)


def _started(said: IO[bytes]) -> subprocess.Popen[bytes]:
    # -P: modules beside the worker must not stand in for those of the same name elsewhere.
    words = [sys.executable, "-P", str(_WORKER)]
    try:
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
    except OSError as error:
        raise DrawError(f"the process that runs Graphviz could not be started: {error}") from None


def _asked(worker: subprocess.Popen[bytes], request: Request, time_limit: float, said: IO[bytes]) -> bytes:
    assert worker.stdin is not None, "the worker has pipes"
    assert worker.stdout is not None, "the worker has pipes"
    late = Event()

    def stop() -> None:
        late.set()
        worker.kill()

    timer = Timer(time_limit, stop)
    timer.start()
    try:
        _send(worker.stdin, request)
        size = int.from_bytes(worker.stdout.read(8), "big")
        answer = worker.stdout.read(size)
    finally:
        timer.cancel()
    if size and len(answer) == size:
        return answer
    raise DrawError(_failure(worker, request, time_limit if late.is_set() else None, said))


def _send(pipe: IO[bytes], request: Request) -> None:
    # A worker that has ended takes nothing; its exit status and its last words say why.
    with suppress(OSError):
        pipe.write(json.dumps(asdict(request)).encode() + b"\n")
        pipe.flush()


def _close(pipe: IO[bytes] | None) -> None:
    """What could not be sent cannot be flushed either."""
    with suppress(OSError):
        if pipe is not None:
            pipe.close()


def _failure(worker: subprocess.Popen[bytes], request: Request, late: float | None, said: IO[bytes]) -> str:
    if late is not None:
        return f"Graphviz needed more than {late:g} s and was stopped; raise time_limit="
    code = worker.wait()
    said.seek(0)
    last = _told(said.read())
    if code == _MISSING:
        return f"{last}; install it with 'pip install pygraphviz'"
    return f"Graphviz failed ({request.prog}, {request.format}): {last}"


def _told(stderr: bytes) -> str:
    """The last thing said that is no complaint about font files."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line and "fontconfig" not in line.lower()]
    return lines[-1] if lines else "it said nothing"
