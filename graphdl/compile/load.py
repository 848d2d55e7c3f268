"""Generated source becomes functions; failures inside it quote the line, the node and the user's line."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from graphdl.compile.emit import Module
from graphdl.errors import ExecutionError, GraphdlError
from graphdl.ir.leaves import Constant
from graphdl.ir.origin import written_at
from graphdl.ir.text import plain

_numbers = itertools.count(1)


class Loaded:
    """The functions of a generated module, and the file name they are known by to debuggers."""

    def __init__(self, module: Module, convert: Callable[[Any], Any]) -> None:
        self.module = module
        self.file = f"<graphdl program {next(_numbers)}>"
        self.code = compile(module.text, self.file, "exec")
        # A debugger and a traceback find the text here; it lives as long as the process keeps the cache.
        linecache.cache[self.file] = (len(module.text), None, module.text.splitlines(keepends=True), self.file)
        self.constants = _arrays(module, convert)
        self.namespace = self.fresh()

    def fresh(self) -> dict[str, Any]:
        """The module executed in a namespace of its own."""
        namespace: dict[str, Any] = {"constants": self.constants}
        exec(self.code, namespace)
        return namespace

    def __del__(self) -> None:
        linecache.cache.pop(self.file, None)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Errors raised by generated lines become ExecutionErrors that say which node failed."""
        try:
            yield
        except GraphdlError:
            raise
        except Exception as error:
            number = self._line_of(error.__traceback__)
            if number is None:
                raise
            raise ExecutionError(self._explanation(error, number)) from error

    def _line_of(self, traceback: TracebackType | None) -> int | None:
        """The line of ours that was running and belongs to a node, innermost first."""
        found = None
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == self.file and traceback.tb_lineno in self.module.nodes:
                found = traceback.tb_lineno
            traceback = traceback.tb_next
        return found

    def _explanation(self, error: Exception, number: int) -> str:
        node = self.module.nodes[number]
        lines = [
            f"{node.op.name} failed with {type(error).__name__}: {error}",
            f"    node  {plain(node.label)}: {node.type}",
            f"    line  {number} of {self.file}: {self.module.line(number).split('  #')[0].strip()}",
        ]
        at = written_at(node)
        return "\n".join([*lines, f"  {at}"] if at else lines)


def _arrays(module: Module, convert: Callable[[Any], Any]) -> dict[str, Any]:
    arrays = {}
    for name, node in module.constants.items():
        assert isinstance(node.op, Constant)
        arrays[name] = convert(node.op.value)
    return arrays
