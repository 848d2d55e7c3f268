"""The loss of label sequences that are shorter than the predictions: all ways to spread the labels over the steps."""

from __future__ import annotations

from graphdl.autodiff.scan import scan
from graphdl.errors import ShapeError
from graphdl.ir.dim import symbol
from graphdl.ir.node import Node
from graphdl.ir.types import FLOATS, TensorType
from graphdl.keras.losses.loss import BuiltinLoss, in_dtype
from graphdl.ops.arithmetic import greater, logical_and, maximum, not_equal, where
from graphdl.ops.indexing import one_hot, take_along
from graphdl.ops.nn import log_softmax
from graphdl.ops.parts import concat, pad, stack
from graphdl.ops.reduce import logsumexp, sum
from graphdl.ops.shape import cast, expand_dims, full, reshape, transpose

# The logarithm of a probability of 0: finite, so that its gradient is.
_NEVER = -1e30
_BLANK = 0


class CTC(BuiltinLoss):
    """Connectionist temporal classification: nats of the labels, in whatever way they lie over the steps.

    predictions   f32[N, T, C]   logits of each step; class 0 is the blank that stands between labels
    targets       i64[N, L]      labels from 1 to C - 1, in order; 0 fills up the rows that are shorter

    Infinite, with a gradient of 0, where T steps are too few for the labels (Graves, Fernández, Gomez & Schmidhuber
    2006, section 4.1).
    """

    name = "ctc"
    takes_classes = True

    def target_type(self, y_pred: Node) -> TensorType:
        """Rows of labels of any one length."""
        _check_logits(y_pred)
        return TensorType("int64", (y_pred.shape[0], symbol("labels")))

    def fitted(self, y_true: Node, y_pred: Node) -> tuple[Node, Node]:
        """Labels as integers, and logits."""
        _check_logits(y_pred)
        if y_true.ndim != 2:
            raise ShapeError(f"ctc: found targets {y_true.type}, expected a row of labels an example")
        labels = cast(y_true, "int64") if y_true.dtype in FLOATS else y_true
        return labels, in_dtype(y_pred, self.dtype)

    def call(self, y_true: Node, y_pred: Node) -> Node:
        """Nats of each example: minus the log-probability of all paths, summed step by step."""
        spread = _with_blanks(y_true)
        emitted = _emissions(spread, log_softmax(y_pred))
        may_skip = _may_skip(spread)

        def step(reached: Node, emits: Node) -> tuple[Node, Node]:
            skipped = where(may_skip, _moved(reached, 2), _NEVER)
            now = logsumexp(stack([reached, _moved(reached, 1), skipped]), axis=0) + emits
            return now, now

        reached, _ = scan(step, _at_start(emitted), emitted)
        nats = -_at_end(reached, y_true)
        return where(greater(nats, -0.5 * _NEVER), float("inf"), nats)


def _check_logits(y_pred: Node) -> None:
    if y_pred.ndim != 3:
        raise ShapeError(f"ctc: found predictions {y_pred.type}, expected logits (N, steps, classes)")


def _with_blanks(labels: Node) -> Node:
    """A blank before each label and one at the end: 2 L + 1 symbols."""
    n, length = labels.shape
    blanks = full(labels.shape, _BLANK, labels.dtype)
    pairs = reshape(stack([blanks, labels], axis=-1), (n, 2 * length))
    return concat([pairs, full((n, 1), _BLANK, labels.dtype)], axis=1)


def _emissions(symbols: Node, log_p: Node) -> Node:
    """The log-probability of each symbol at each step: (T, N, 2 L + 1)."""
    chosen = one_hot(symbols, log_p.shape[-1], log_p.dtype)
    return transpose(log_p @ transpose(chosen, [0, 2, 1]), [1, 0, 2])


def _may_skip(symbols: Node) -> Node:
    """Whether a path may come from two symbols before, over the blank: to a label that differs from the one there."""
    before = pad(symbols[:, :-2], ((0, 0), (2, 0)), _BLANK)
    return logical_and(not_equal(symbols, _BLANK), not_equal(symbols, before))


def _moved(reached: Node, places: int) -> Node:
    """The log-probabilities of so many symbols before."""
    return pad(reached[:, :-places], ((0, 0), (places, 0)), _NEVER)


def _at_start(emitted: Node) -> Node:
    """All paths stand on the first blank, before the first step."""
    _, n, count = emitted.shape
    first, others = full((n, 1), 0.0, emitted.dtype), full((n, count - 1), _NEVER, emitted.dtype)
    return concat([first, others], axis=1)


def _at_end(reached: Node, labels: Node) -> Node:
    """The log-probability of the paths that end in the last label or in the blank behind it."""
    count = sum(cast(not_equal(labels, _BLANK), "int64"), axis=1)
    in_label = take_along(reached, maximum(2 * count - 1, 0))
    ends = [take_along(reached, 2 * count), where(greater(count, 0), in_label, _NEVER)]
    return logsumexp(concat([expand_dims(end, -1) for end in ends], axis=-1), axis=-1)
