"""Graphviz in a process of its own, with a time limit: nothing it does can hang or litter the caller."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from graphdl.errors import DrawError

TIME_LIMIT = 20.0

_WORKER = Path(__file__).with_name("worker.py")
_MISSING = 3


def run(dot: str, prog: str, format: str, args: str = "", time_limit: float = TIME_LIMIT) -> bytes:
    """What Graphviz makes of `dot` with the engine `prog`, in `format`; stopped after `time_limit` seconds."""
    request = json.dumps({"dot": dot, "prog": prog, "format": format, "args": args}).encode()
    try:
        done = subprocess.run(
            # -P: modules beside the worker must not stand in for those of the same name elsewhere.
            [sys.executable, "-P", str(_WORKER)],
            input=request,
            capture_output=True,
            timeout=time_limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DrawError(f"Graphviz needed more than {time_limit:g} s and was stopped; raise time_limit=") from None
    except OSError as error:
        raise DrawError(f"the process that runs Graphviz could not be started: {error}") from None
    if done.returncode == _MISSING:
        raise DrawError(f"{_told(done.stderr)}; install it with 'pip install pygraphviz'")
    if done.returncode or not done.stdout:
        raise DrawError(f"Graphviz failed ({prog}, {format}): {_told(done.stderr)}")
    return done.stdout


def _told(stderr: bytes) -> str:
    """The last thing said that is no complaint about font files."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line and "fontconfig" not in line.lower()]
    return lines[-1] if lines else "it said nothing"
