"""HTML: the player, a page of its own that steps through the trace."""

from __future__ import annotations

from collections.abc import Iterator

from graphdl.draw.outputs.drawing import Drawing
from graphdl.errors import DrawError


def html(drawing: Drawing) -> Iterator[bytes]:
    """One page, which begins at the step that was chosen."""
    from graphdl.draw.player import page

    if len(drawing.steps) > 1:
        raise DrawError(f"a page holds all steps, and begins at one; steps chose {len(drawing.steps)} of them")
    language = drawing.languages[0] if len(drawing.languages) == 1 else "both"
    made = page(
        drawing.told,
        language=language,
        theme=drawing.theme_name,
        granularity=drawing.granularity,
        # A trace for the forward view has no gradients, so every view of it is one.
        view=None if drawing.view in ("auto", "forward") else drawing.view,
        step=drawing.steps[0] if drawing.steps else drawing.moment,
        title=drawing.title or None,
        time_limit=drawing.time_limit,
    )
    yield made.encode()
