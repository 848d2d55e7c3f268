"""Recordings of training runs, their figures, and one page with a slider over their snapshots."""

from graphdl.draw.training.figures import Figure, figure
from graphdl.draw.training.recording import Recording

__all__ = ["Figure", "Recording", "figure"]
