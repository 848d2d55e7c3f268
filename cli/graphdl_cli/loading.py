"""From ``FILE.py[:name]`` to the model, graph or loss that the file defines."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from graphdl.errors import GraphdlError, did_you_mean
from graphdl.ir.graph import Graph, Updates
from graphdl.ir.node import Node
from graphdl.keras.models import Model
from graphdl_cli.failures import UserError

_A_MODEL, _A_SUBJECT = "a keras model", "a model, a graph or a loss"
_NONE_OF = {_A_MODEL: "keras model", _A_SUBJECT: "model, graph or loss"}
# What a file that names nothing is taken to mean, in this order.
_USUAL_NAMES = ("model", "loss", "cost", "graph")


@dataclass(frozen=True)
class Loaded:
    """What the user named: `value` is called `name` in the file at `path`, which defines all of `names`."""

    path: Path
    name: str
    value: Any
    names: Mapping[str, Any]
    returned: dict[str, Any] = field(default_factory=dict, compare=False)

    def get(self, *names: str) -> Any:
        """What the file defines under the first of `names` it has, else None; a function is called, and only once."""
        for name in names:
            if name in self.names and name not in self.returned:
                self.returned[name] = _made(self.path, self.names[name])
            if name in self.names:
                return self.returned[name]
        return None

    def called(self, graph: Graph) -> dict[str, Node]:
        """The nodes of `graph` by the names that the file itself has for them, where it has any."""
        inside = set(graph.nodes)
        return {name: value for name, value in self.names.items() if isinstance(value, Node) and value in inside}

    def positive(self, name: str, default: int) -> int:
        """The file's own `epochs` or `batch_size`."""
        found = self.names.get(name, default)
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            raise UserError(f"{name} in {self.path} is {found!r:.40}, expected an integer from 1")
        return found


def load_model(target: str) -> Loaded:
    """The keras model that ``FILE.py[:name]`` names."""
    return _load(target, (Model,), _A_MODEL)


def load_subject(target: str) -> Loaded:
    """The model, graph, loss or list of nodes that ``FILE.py[:name]`` names."""
    return _load(target, (Model, Graph, Node, Updates), _A_SUBJECT)


def split(target: str) -> tuple[Path, str | None]:
    """The file and the name in it.

    >>> split("nets/mlp.py:model")
    (PosixPath('nets/mlp.py'), 'model')
    """
    file, colon, name = target.rpartition(":")
    has_name = colon and not any(mark in name for mark in "/\\.") and not Path(target).exists()
    return (Path(file), name) if has_name else (Path(target), None)


def _load(target: str, kinds: tuple[type, ...], what: str) -> Loaded:
    path, name = split(target)
    names = vars(_executed(path))
    if name is None:
        name = _chosen(path, names, kinds, what)
    elif name not in names:
        raise UserError(f"{path} defines no {name!r}.{did_you_mean(name, _public(names))} It has {_seen(names)}")
    value = _made(path, names[name])
    if not _is(value, kinds):
        raise UserError(f"{path}:{name} is {kind_of(value)}, expected {what}")
    return Loaded(path, name, value, names)


def _executed(path: Path) -> ModuleType:
    """The file as a module; its neighbours can be imported, and ``if __name__ == "__main__"`` is not run."""
    _check_file(path)
    spec = importlib.util.spec_from_file_location(f"graphdl_file_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} is no Python file, expected FILE.py[:name]")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look a class up in the module it says it is from.
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.resolve().parent))
    with _arguments_of(path), explaining(path):
        spec.loader.exec_module(module)
    return module


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise UserError(f"{path} is a directory, expected FILE.py[:name]")
    if path.exists() and path.suffix != ".py":
        suffix = repr(path.suffix) if path.suffix else "nothing"
        raise UserError(f"{path} ends in {suffix}, expected a Python file, FILE.py[:name]")
    if not path.exists():
        near = [file.name for file in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise UserError(f"there is no file {str(path)!r}.{did_you_mean(path.name, near)}")


@contextmanager
def _arguments_of(path: Path) -> Iterator[None]:
    """A file that parses arguments at its top level finds none: those there are belong to graphdl."""
    before = sys.argv
    sys.argv = [str(path)]
    try:
        yield
    finally:
        sys.argv = before


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """What the user's code raises becomes a short message with the line it was raised at."""
    try:
        yield
    except SystemExit as error:
        raise UserError(
            f"{path} calls exit({error.code!r}) when it is loaded; put that under if __name__ == '__main__'"
        ) from error
    except SyntaxError as error:
        file = path if error.filename in (None, str(path.resolve())) else error.filename
        place = f"{file}:{error.lineno}" if error.lineno else f"{file}"
        raise UserError(f"{place}: {error.msg}\n    {(error.text or '').strip()}".rstrip()) from error
    except Exception as error:
        raise UserError(f"{_place(error, path)} {_told(error)}{_line(error, path)}{_hint(error)}") from error


def _told(error: Exception) -> str:
    if isinstance(error, GraphdlError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _hint(error: Exception) -> str:
    if isinstance(error, GraphdlError) or not isinstance(error, ModuleNotFoundError):
        return ""
    return f"\n  install it for {sys.executable}, or put it beside the file"


def _frame(error: BaseException, path: Path) -> traceback.FrameSummary | None:
    """The innermost frame in the user's file."""
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if Path(f.filename) == path or f.filename == str(path.resolve())
    ]
    return frames[-1] if frames else None


def _place(error: BaseException, path: Path) -> str:
    frame = _frame(error, path)
    return f"{path}:{frame.lineno}:" if frame else f"{path}:"


def _line(error: BaseException, path: Path) -> str:
    frame = _frame(error, path)
    return f"\n    {frame.line}" if frame and frame.line and "written at" not in str(error) else ""


def _chosen(path: Path, names: Mapping[str, Any], kinds: tuple[type, ...], what: str) -> str:
    """The name that is meant where none is given: a usual one, or that of the only thing of its kind."""
    for name in _USUAL_NAMES:
        if name in names and (_is(names[name], kinds) or _is_maker(names[name])):
            return name
    found = [name for name, value in _public(names).items() if isinstance(value, kinds[:2])]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"{path} has several: {', '.join(found)}; say which, as in {path}:{found[0]}")
    raise UserError(f"{path} defines no {_NONE_OF[what]}; it has {_seen(names)}. {_way_out(path, names, kinds)}")


def _way_out(path: Path, names: Mapping[str, Any], kinds: tuple[type, ...]) -> str:
    """What to do where a file has nothing that is plainly meant."""
    nodes = [name for name, value in _public(names).items() if isinstance(value, Node)]
    if nodes and Node in kinds:
        return f"Say which node is meant, as in {path}:{nodes[-1]}, or call it loss"
    if nodes:
        return f"A graph is trained by sessions in its own file, as in python {path}; to see it: graphdl draw {path}"
    return f"Define model, or say which it is, as in {path}:name"


def _made(path: Path, value: Any) -> Any:
    """`value`, or what it returns where it is a function without arguments."""
    if not _is_maker(value):
        return value
    with explaining(path):
        return value()


def _is_maker(value: Any) -> bool:
    if not isinstance(value, FunctionType):
        return False
    wanted = value.__code__.co_argcount - len(value.__defaults__ or ())
    return wanted == 0 and value.__code__.co_kwonlyargcount == len(value.__kwdefaults__ or {})


def _is(value: Any, kinds: tuple[type, ...]) -> bool:
    if Node in kinds and isinstance(value, list | tuple) and value:
        return all(isinstance(item, Node) for item in value)
    return isinstance(value, kinds)


def _public(names: Mapping[str, Any]) -> dict[str, Any]:
    """What the file itself defines, as far as can be told."""
    return {
        name: value
        for name, value in names.items()
        if not name.startswith("_") and not isinstance(value, ModuleType | type) and not _is_imported(value, names)
    }


def _is_imported(value: Any, names: Mapping[str, Any]) -> bool:
    return isinstance(value, FunctionType) and value.__module__ != names["__name__"]


def _seen(names: Mapping[str, Any]) -> str:
    found = [f"{name} ({kind_of(value)})" for name, value in _public(names).items()]
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""
    return ", ".join(found[:10]) + more if found else "nothing"


def kind_of(value: Any) -> str:
    """The type of `value`, for a message: "a list", "an int"."""
    word = type(value).__name__
    return "None" if value is None else f"{'an' if word[0] in 'aeiouAEIOU' else 'a'} {word}"
