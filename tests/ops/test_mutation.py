"""Planted mistakes: a wrong derivative in any op is convicted by the very check that the registry suite runs."""

from __future__ import annotations

import pytest

from tests.ops.checks import all_cases, check_vjp, gradient_slots

CASES: dict[str, list] = {}
for _case in all_cases():
    CASES.setdefault(_case.name, []).append(_case)
PLANTED = [
    (name, slot) for name, cases in CASES.items() for slot in sorted({s for c in cases for s in gradient_slots(c)})
]
WRONG = {"1 percent too large": 1.01, "the wrong sign": -1.0, "a thousandth too small": 0.999}


def convicted(name: str) -> bool:
    """Whether the registry suite's check of the gradient fails on some sample of the op."""
    for case in CASES[name]:
        try:
            check_vjp(case)
        except AssertionError:
            return True
    return False


@pytest.mark.parametrize("factor", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(("name", "slot"), PLANTED)
def test_wrong_derivative_is_convicted(name, slot, factor, monkeypatch):
    _plant(CASES[name][0].op, slot, factor, monkeypatch)
    assert convicted(name)


@pytest.mark.parametrize(("name", "slot"), PLANTED)
def test_missing_derivative_is_convicted(name, slot, monkeypatch):
    """A slot that gives nothing has no difference of its own; the registry suite counts the slots."""
    before = [gradient_slots(case) for case in CASES[name]]
    _plant(CASES[name][0].op, slot, None, monkeypatch)
    assert [gradient_slots(case) for case in CASES[name]] != before


@pytest.mark.parametrize("name", sorted({name for name, _ in PLANTED}))
def test_the_true_derivative_is_acquitted(name):
    assert not convicted(name)


def _plant(op, slot, factor, monkeypatch):
    """Scale what the op's vjp sends to one slot; None sends nothing."""
    owner = op if "partials" in vars(op) else type(op)
    true = owner.vjp

    def wrong(*operands):
        terms = list(true(*operands))
        if slot < len(terms):
            right = terms[slot]
            terms[slot] = None if factor is None or right is None else lambda: factor * _built(right)
        return tuple(terms)

    monkeypatch.setattr(owner, "vjp", wrong, raising=False)


def _built(gradient):
    return gradient() if callable(gradient) else gradient
