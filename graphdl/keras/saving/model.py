"""Models as files: layers, what `compile` was told, weights, and what the optimizer remembers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from graphdl.errors import FormatError, GraphdlError
from graphdl.keras.saving.archive import read_archive, write_archive
from graphdl.keras.saving.description import described, rebuilt
from graphdl.keras.saving.hdf5 import refuse_foreign
from graphdl.keras.saving.objects import from_json, to_json
from graphdl.keras.saving.state import check_state, load_state, rate_of, state_of

# 2: inputs and outputs are objects, whose order and names are the user's.
FORMAT, VERSION = "graphdl model", 2
SUFFIX = ".graphdl"
_COMPILED = ("optimizer", "loss", "metrics", "loss_weights", "weighted_metrics")


def save_model(model: Any, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the whole model to one file: layers, `compile` arguments, weights, optimizer and step.

    The file is a zip of JSON and safetensors, written whole or not at all. GraphError for what has no place in it.
    """
    path = os.fspath(filepath)
    if not overwrite and os.path.exists(path):
        raise FormatError(f"{path!r} is there already, and overwrite is False")
    if not path.endswith(SUFFIX):
        text = f"{path!r} is written in graphdl's own format, which Keras does not read; such files end in {SUFFIX}"
        warnings.warn(text, UserWarning, stacklevel=3)
    content: dict[str, Any] = {"model": described(model), "compiled": _compiled(model), "state": None}
    tensors: Mapping[str, Any] = {}
    if model.is_built:
        content["state"], tensors = state_of(model, _begun(model))
    write_archive(path, FORMAT, VERSION, content, tensors)


def load_model(
    filepath: str | os.PathLike[str], custom_objects: Mapping[str, Any] | None = None, compile: bool = True
) -> Any:
    """The model in the file at `filepath`, which goes on where the saved one stopped.

    custom_objects  your own layers, losses and functions by name: a file holds no code
    compile         False leaves out what `compile` was told; then your own losses need not be given

    FormatError for a file that is damaged, of another version, or that does not hold together.
    """
    path, custom = os.fspath(filepath), custom_objects or {}
    refuse_foreign(path)
    found = read_archive(path, FORMAT, VERSION)
    try:
        return _model_of(found.content, found.tensors, custom, compile)
    except FormatError as error:
        raise FormatError(f"{path!r}: {error}") from None


def _model_of(content: dict[str, Any], tensors: Mapping[str, Any], custom: Mapping[str, Any], compile: bool) -> Any:
    if set(content) != {"model", "compiled", "state"} or not isinstance(content["model"], dict):
        raise FormatError(f"it holds {', '.join(sorted(content))}, expected model, compiled and state")
    model, state = rebuilt(content["model"], custom), content["state"]
    if state is not None and not isinstance(state, dict):
        raise FormatError("its state is no object")
    if state is not None:
        # Before anything is allocated: a model may claim any size.
        check_state(model, state, tensors)
    compile = compile and content["compiled"] is not None
    if compile:
        _compile(model, content["compiled"], custom)
    if state is not None:
        has_more = compile and state.get("optimizer")
        load_state(model, state, tensors, model.training if has_more else None)
        if has_more:
            # From now on it can say how many steps it has made.
            model.optimizer.set_rate(model.session)
    return model


def compile_arguments(model: Any) -> dict[str, Any]:
    """What `compile` was told, by name."""
    wanted = model._compiled_with
    return {"optimizer": model.optimizer, **{name: getattr(wanted, name) for name in _COMPILED[1:]}}


def _compiled(model: Any) -> Any:
    """What `compile` was told, with the learning rate that the optimizer has now."""
    if not model.is_compiled:
        return None
    found = {name: to_json(value) for name, value in compile_arguments(model).items()}
    return {**found, "learning_rate": rate_of(model.optimizer)}


def _compile(model: Any, data: Any, custom: Mapping[str, Any]) -> None:
    if not isinstance(data, dict) or set(data) != {*_COMPILED, "learning_rate"}:
        raise FormatError(f"what compile was told is not {', '.join(_COMPILED)} and learning_rate")
    try:
        given = from_json(data, custom)
        rate = given.pop("learning_rate")
        model.compile(**given)
        if rate is not None:
            model.optimizer.learning_rate = rate
    except FormatError:
        raise
    except GraphdlError as error:
        raise FormatError(f"the model cannot be compiled: {error}") from None
    except Exception as error:
        raise FormatError(f"the model cannot be compiled: {error!r:.200}") from None


def _begun(model: Any) -> Any:
    """The training of the model, with or without weights of examples, whose graph has been asked for; or None.

    Making it only to save it would be a waste.
    """
    if not model.is_compiled or not model.is_built:
        return None
    plans = [model.training, *model.training._weighted.values()]
    return next((plan for plan in plans if "updates" in vars(plan)), None)
