"""Derivation sheets: the gradient of one loss as one would derive it on paper, as HTML, Markdown, LaTeX or text."""

from graphdl.sheet.derivation import Level, sheet, zero_sheet
from graphdl.sheet.model import Derivative, Sheet
from graphdl.sheet.targets import Target

__all__ = ["Derivative", "Level", "Sheet", "Target", "sheet", "zero_sheet"]
