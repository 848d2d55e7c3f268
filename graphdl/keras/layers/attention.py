"""Attention: each step of one sequence takes what it needs from the steps of another (Vaswani et al. 2017)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from graphdl.errors import GraphError, ShapeError
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.keras.checks import share
from graphdl.keras.layer import Layer
from graphdl.keras.layers.arguments import add_weight, describe_weight, positive
from graphdl.keras.lookup import by_name
from graphdl.keras.random import generator_of, seed_of
from graphdl.ops.arithmetic import logical_and, where
from graphdl.ops.linalg import matmul, swap_last
from graphdl.ops.nn import softmax
from graphdl.ops.random import dropout
from graphdl.ops.reduce import sum
from graphdl.ops.shape import broadcast_to, cast, expand_dims, reshape, transpose
from graphdl.ops.transcendental import sigmoid, tanh

# What stands for minus infinity in scores, so that a row without any step left is no NaN.
NOWHERE = -1e9


class MultiHeadAttention(Layer):
    """``softmax(q k' / sqrt(key_dim)) v`` in each of `num_heads` heads, whose results are projected together.

    query           [N, T, D], and value [N, S, D'], key [N, S, D'']; without a key the value is the key
    attention_mask  bool [N, T, S] or [T, S]: which steps a step may attend to
    use_causal_mask no step attends to later ones
    result          [N, T, D], or [N, T, *output_shape]; with `return_attention_scores` also [N, heads, T, S]
    weights         kernel and bias of query, key and value (D, heads, dim), of the result (heads, dim, D)

    attention_axes  with more axes, those along which steps lie, all but the first and last by default; along others
                    there is no attention, as if they were examples
    sliding_window  a step attends to those less than so many steps away
    use_gate        the heads' results are multiplied by ``sigmoid(query W + b)`` (Qiu et al. 2025)

    Masks of query, value and key, as `Embedding(mask_zero=True)` gives them, are taken into account. How it is computed
    is the compiler's business, so `flash_attention` says nothing here.
    """

    supports_masking = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.num_heads, self.key_dim = positive(self, "num_heads", num_heads), positive(self, "key_dim", key_dim)
        self.value_dim = self.key_dim if value_dim is None else positive(self, "value_dim", value_dim)
        self.seed, self.seed_generator = seed, generator_of(seed)
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self.sliding_window = None if sliding_window is None else positive(self, "sliding_window", sliding_window)
        self.flash_attention, self.use_gate = flash_attention, use_gate
        self.dropout, self.use_bias = float(share("MultiHeadAttention: dropout", dropout)), use_bias
        self.output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        describe_weight(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        describe_weight(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    @property
    def differs_in_training(self) -> bool:
        """Scores are dropped in training only."""
        return self.dropout > 0

    def build(self, input_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        """A kernel and a bias for each of query, key, value and the result."""
        query_shape, heads = input_shape, self.num_heads
        self.query = self._projection("query", (query_shape[-1], heads, self.key_dim), 1)
        self.key = self._projection("key", ((key_shape or value_shape)[-1], heads, self.key_dim), 1)
        if self.use_gate:
            self.gate = self._projection("gate", (query_shape[-1], heads, self.value_dim), 1)
        self.value = self._projection("value", (value_shape[-1], heads, self.value_dim), 1)
        after = tuple(self.output_shape or (query_shape[-1],))
        self.result = self._projection("attention_output", (heads, self.value_dim, *after), 2)

    def _projection(self, name: str, shape: tuple[int, ...], bound: int) -> tuple[Node, Node | None]:
        kernel = add_weight(self, "kernel", shape, f"{name}/kernel")
        return kernel, add_weight(self, "bias", shape[bound:], f"{name}/bias") if self.use_bias else None

    def call(
        self,
        query: Node,
        value: Node,
        key: Node | None = None,
        query_mask: Node | None = None,
        value_mask: Node | None = None,
        key_mask: Node | None = None,
        attention_mask: Node | None = None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The result, and the scores where asked for."""
        key = value if key is None else key
        if value.shape[1:-1] != key.shape[1:-1]:
            raise ShapeError(f"{self.name}: value is {value.type} and key {key.type}, expected the same steps")
        axes = self._axes(query)
        q, k, v = (
            by_head(self._projected(x, *weights), axes)
            for x, weights in ((query, self.query), (key, self.key), (value, self.value))
        )
        between = tuple(query.shape[axis] for axis in axes), tuple(value.shape[axis] for axis in axes)
        masks = self._masks(query, value, use_causal_mask, query_mask, value_mask, key_mask, attention_mask)
        scores = matmul(q * (1 / math.sqrt(self.key_dim)), swap_last(k))
        weights = masked_softmax(scores, _over_steps(all_of(masks), scores, between))
        kept = dropout(weights, self.dropout, seed=seed_of(self.seed_generator)) if training else weights
        y = _from_heads(matmul(kept, v), axes, between[0])
        if self.use_gate:
            y = y * sigmoid(self._projected(query, *self.gate))
        result = _projected(y, *self.result, bound=2)
        scores = weights if len(axes) == 1 else reshape(weights, (*weights.shape[:-2], *between[0], *between[1]))
        return [result, scores] if return_attention_scores else result

    def _axes(self, query: Node) -> tuple[int, ...]:
        """The axes along which there is attention."""
        inner = range(1, query.ndim - 1)
        axes = tuple(inner) if self.attention_axes is None else tuple(a % query.ndim for a in self.attention_axes)
        if not axes or any(axis not in inner for axis in axes):
            raise GraphError(
                f"{self.name}: attention_axes is {self.attention_axes}, expected axes of {query.type}, neither the "
                "first nor the last"
            )
        return axes

    def _projected(self, x: Node, kernel: Node, bias: Node | None) -> Node:
        """`x` for each head."""
        y = _projected(x, kernel, bias)
        self.regularize_activity(y)
        return y

    def _masks(
        self,
        query: Node,
        value: Node,
        is_causal: bool,
        of_query: Node | None,
        of_value: Node | None,
        of_key: Node | None,
        given: Node | None,
    ) -> list[Node]:
        """What says which steps may attend to which, each to be broadcast to [N, T, S]."""
        found = [None if of_query is None else expand_dims(of_query, of_query.ndim)]
        found += [None if mask is None else expand_dims(mask, mask.ndim - 1) for mask in (of_value, of_key)]
        found += [given if given is None or given.dtype == "bool" else cast(given, "bool")]
        found += [causal(query.shape[1], value.shape[1]) if is_causal else None]
        found += [near(query.shape[1], value.shape[1], self.sliding_window) if self.sliding_window else None]
        return [mask for mask in found if mask is not None]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        return mask


class Attention(Layer):
    """Attention without weights of its own: ``softmax(q k') v`` (Luong et al. 2015).

    Called on a list [query, value] or [query, value, key] of sequences [N, T, D]. With `use_scale` the scores are
    multiplied by a number that is learnt; `score_mode` "concat" scores by ``w sum(tanh(q + k))`` instead.
    """

    supports_masking = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.seed, self.seed_generator = seed, generator_of(seed)
        self.use_scale, self.dropout = use_scale, float(share(f"{type(self).__name__}: dropout", dropout))
        self.score_mode: str = by_name("score mode", score_mode, {"dot": "dot", "concat": "concat"})
        self.scale: Node | None = None
        self.concat_score_weight: Node | None = None

    @property
    def differs_in_training(self) -> bool:
        """Scores are dropped in training only."""
        return self.dropout > 0

    def build(self, input_shape: Any) -> None:
        """The numbers that scale scores, where asked for."""
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def scores(self, query: Node, key: Node) -> Node:
        """How much each step of the query needs each step of the key: [N, T, S]."""
        if self.score_mode == "dot":
            found = matmul(query, swap_last(key))
            return found if self.scale is None else found * self.scale
        both = expand_dims(query, -2) + expand_dims(key, -3)
        return sum(tanh(both if self.scale is None else both * self.scale), axis=-1) * self.concat_score_weight

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The result, and the scores where asked for."""
        if not isinstance(inputs, list | tuple) or len(inputs) not in (2, 3):
            raise GraphError(f"{self.name} is called on a list [query, value] or [query, value, key]")
        query, value = inputs[:2]
        of_query, of_value = (None, None) if mask is None else tuple(mask)[:2]
        scores = self.scores(query, inputs[2] if len(inputs) > 2 else value)
        allowed = [] if of_value is None else [expand_dims(of_value, 1)]
        allowed += [causal(query.shape[1], value.shape[1])] if use_causal_mask else []
        weights = masked_softmax(scores, all_of(allowed))
        kept = dropout(weights, self.dropout, seed=seed_of(self.seed_generator)) if training else weights
        y = matmul(kept, value)
        y = y if of_query is None else where(expand_dims(of_query, -1), y, 0.0)
        return [y, weights] if return_attention_scores else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        return mask[0] if isinstance(mask, list | tuple) else mask


class AdditiveAttention(Attention):
    """Attention that scores by ``sum(w tanh(q + k))``, with a weight for each entry (Bahdanau et al. 2015)."""

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **arguments: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **arguments)

    def build(self, input_shape: Any) -> None:
        """A weight for each entry."""
        if self.use_scale:
            self.scale = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale")

    def scores(self, query: Node, key: Node) -> Node:
        """How much each step of the query needs each step of the key: [N, T, S]."""
        both = tanh(expand_dims(query, -2) + expand_dims(key, -3))
        return sum(both if self.scale is None else both * self.scale, axis=-1)


def by_head(x: Node, axes: tuple[int, ...] = (1,)) -> Node:
    """[N, T, heads, D] as [N, heads, T, D]; T goes over the steps along all of `axes`, other axes stay before heads."""
    rest = [axis for axis in range(x.ndim - 1) if axis not in axes]
    moved = transpose(x, (*rest, *axes, x.ndim - 1))
    return moved if len(axes) == 1 else reshape(moved, (*moved.shape[: len(rest)], -1, x.shape[-1]))


def _from_heads(x: Node, axes: tuple[int, ...], steps: tuple[Any, ...]) -> Node:
    """What `by_head` undoes, for `steps` along each of the axes."""
    rest = [axis for axis in range(x.ndim - 2 + len(axes)) if axis not in axes]
    order = (*rest, *axes, x.ndim - 1 + len(axes) - 1)
    apart = x if len(axes) == 1 else reshape(x, (*x.shape[:-2], *steps, x.shape[-1]))
    return transpose(apart, tuple(order.index(axis) for axis in range(len(order))))


def _over_steps(mask: Node | None, scores: Node, between: tuple[tuple[Any, ...], tuple[Any, ...]]) -> Node | None:
    """A mask over several axes of steps as one over all steps, for `scores` [..., heads, T, S]."""
    if mask is None or len(between[0]) == 1:
        return mask
    whole = (*scores.shape[:-2], *between[0], *between[1])
    while mask.ndim < len(whole):
        mask = expand_dims(mask, max(0, mask.ndim - 2 * len(between[0])))
    return reshape(broadcast_to(mask, whole), scores.shape)


def all_of(masks: list[Node]) -> Node | None:
    """Where all of the masks allow; None where there are none."""
    found: Node | None = None
    for mask in masks:
        found = mask if found is None else logical_and(found, mask)
    return found


def causal(length: Any, of_keys: Any) -> Node:
    """bool [1, T, S]: which steps are not later."""
    return constant(np.tri(_known(length), _known(of_keys), dtype="bool")[None], name="causal")


def _known(steps: Any) -> int:
    if not isinstance(steps, int):
        raise ShapeError(f"which of {steps} steps are later, or near, can be said where their number is known")
    return steps


def near(length: Any, of_keys: Any, window: int) -> Node:
    """bool [1, T, S]: which steps are less than `window` steps away."""
    both = np.tri(_known(length), _known(of_keys), window - 1, "bool")
    return constant(both & ~np.tri(length, of_keys, -window, "bool")[None], name="window")


def masked_softmax(scores: Node, mask: Node | None) -> Node:
    """The softmax of `scores` [..., T, S] over the last axis, where `mask` allows; one without heads holds for each."""
    if mask is None:
        return softmax(scores, axis=-1)
    while 2 < mask.ndim < scores.ndim:
        mask = expand_dims(mask, mask.ndim - 2)
    return softmax(where(broadcast_to(mask, scores.shape), scores, NOWHERE), axis=-1)


def _projected(x: Node, kernel: Node, bias: Node | None, bound: int = 1) -> Node:
    """The last `bound` axes of `x` times the first of the kernel, and the bias."""
    inside, after = kernel.shape[:bound], kernel.shape[bound:]
    y = matmul(reshape(x, (-1, math.prod(inside))), reshape(kernel, (math.prod(inside), math.prod(after))))
    y = reshape(y, (*x.shape[: x.ndim - bound], *after))
    return y if bias is None else y + bias


__all__ = ["AdditiveAttention", "Attention", "MultiHeadAttention"]
