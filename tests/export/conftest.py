"""Scripts run as strangers would run them: isolated, with every import of graphdl forbidden."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from graphdl import keras

# A finder in front of all others that refuses graphdl, however the environment is made.
BLOCKED = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("graphdl", "graphdl_cli"):
            raise ImportError(f"{name} is forbidden here")

sys.meta_path.insert(0, Refuse())
sys.argv = sys.argv[1:]
import runpy
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(autouse=True)
def _fresh_seed():
    keras.utils.set_random_seed(0)
    yield
    keras.utils.set_random_seed(0)


@pytest.fixture
def run(tmp_path):
    """Run a script's text with arguments; what came of it."""

    def run_script(text, *arguments, check=True):
        path = tmp_path / "script.py"
        path.write_text(text, encoding="utf-8")
        command = [sys.executable, "-I", "-W", "error", "-c", BLOCKED, str(path), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=dict(os.environ))
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return run_script
