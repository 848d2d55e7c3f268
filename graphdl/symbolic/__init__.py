"""Formulas: parsed safely, read as nodes or as SymPy expressions, differentiated and proved. SymPy loads when used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from graphdl.symbolic.parser import parse
from graphdl.symbolic.user_op import UserOp, elementwise

if TYPE_CHECKING:
    from graphdl.symbolic.catalogue import OpRow, op_row, op_rows
    from graphdl.symbolic.closed_form import Swell, expression_swell, symbol_labels, to_sympy
    from graphdl.symbolic.derivative import derivative_latex, derivative_text
    from graphdl.symbolic.proof import Proof, prove

_LAZY = {
    "OpRow": "catalogue",
    "Proof": "proof",
    "Swell": "closed_form",
    "derivative_latex": "derivative",
    "derivative_text": "derivative",
    "expression_swell": "closed_form",
    "op_row": "catalogue",
    "op_rows": "catalogue",
    "prove": "proof",
    "symbol_labels": "closed_form",
    "to_sympy": "closed_form",
}

__all__ = [
    "OpRow",
    "Proof",
    "Swell",
    "UserOp",
    "derivative_latex",
    "derivative_text",
    "elementwise",
    "expression_swell",
    "op_row",
    "op_rows",
    "parse",
    "prove",
    "symbol_labels",
    "to_sympy",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"graphdl.symbolic.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'graphdl.symbolic' has no attribute {name!r}")
