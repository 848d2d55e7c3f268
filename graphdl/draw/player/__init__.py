"""The player: one offline HTML file that steps through a trace."""

from __future__ import annotations

from graphdl.draw.player.assemble import page, save

__all__ = ["page", "save"]
