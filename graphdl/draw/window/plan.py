"""Where everything stands: images above the matrix of their windows, the kernel above its products, maps beside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from graphdl.draw.window.seen import Seen

# So many are shown; the rest is counted.
MOST_CHANNELS, MOST_FILTERS, MOST_COLUMNS = 3, 4, 12
# All rows of im2col are shown where they are few, else so many at a time.
_FEW_ROWS, _SOME_ROWS = 12, 8
# A cell with a number, and the least side at which a pixel has one.
CELL, LINE, LEAST = 46.0, 22.0, 32.0
_LARGEST_PIXEL, _PICTURE = 38.0, 300.0
MARGIN, ROW_HEAD, _GAP, _HEAD = 16.0, 52.0, 44.0, 24.0
# Room for the titles of small grids.
_TITLED, _KERNEL_TITLED = 112.0, 130.0


@dataclass(frozen=True)
class Grid:
    """Cells in rows and columns, with the corner of the first."""

    name: str
    rows: int
    columns: int
    left: float
    top: float
    width: float = CELL
    height: float = LINE

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.left + self.columns * self.width

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.top + self.rows * self.height

    @property
    def has_numbers(self) -> bool:
        """Whether there is room for them."""
        return self.width >= LEAST

    def slot(self, row: int, column: int) -> str:
        """The name of a cell."""
        return f"{self.name}.{row}.{column}"

    def around(self, row: int, column: int, rows: float = 1, columns: float = 1) -> tuple[float, float, float, float]:
        """The middle, width and height of a box around cells."""
        wide, high = columns * self.width, rows * self.height
        return self.left + column * self.width + wide / 2, self.top + row * self.height + high / 2, wide, high


@dataclass(frozen=True)
class Plan:
    """One geometry for the whole story of a convolution: frames only fill in numbers and move marks."""

    seen: Seen

    @cached_property
    def channels(self) -> range:
        """The channels that are shown."""
        return range(min(self.seen.image.shape[2], MOST_CHANNELS))

    @cached_property
    def filters(self) -> range:
        """The filters that are shown."""
        return range(min(self.seen.kernel.shape[3], MOST_FILTERS))

    @cached_property
    def columns(self) -> range:
        """The columns of im2col that are shown."""
        return range(min(self.seen.rows.shape[1], MOST_COLUMNS))

    @cached_property
    def rows(self) -> int:
        """How many rows of im2col are shown at a time."""
        return self.seen.windows if self.seen.windows <= _FEW_ROWS else _SOME_ROWS

    @cached_property
    def images(self) -> tuple[Grid, ...]:
        """The padded image, a grid for each channel, beside each other."""
        height, width = self.seen.padded.shape[:2]
        side = pixel(max(height, width))
        step = max(width * side, _TITLED) + 14
        return tuple(Grid(f"x{c}", height, width, MARGIN + c * step, MARGIN + _HEAD, side, side) for c in self.channels)

    @cached_property
    def kernel(self) -> Grid:
        """The kernel as a matrix; it ends where the output begins, below."""
        high = len(self.columns) * LINE
        top = max(MARGIN + _HEAD, max(grid.bottom for grid in self.images) - high)
        across = MARGIN + ROW_HEAD + len(self.columns) * CELL + _GAP + ROW_HEAD
        left = max(across, self.images[-1].right + _GAP + ROW_HEAD)
        return Grid("k", len(self.columns), len(self.filters), left, top)

    @cached_property
    def matrix(self) -> Grid:
        """The rows of im2col."""
        top = self.kernel.bottom + 2 * _HEAD
        return Grid("a", self.rows, len(self.columns), MARGIN + ROW_HEAD, top)

    @cached_property
    def output(self) -> Grid:
        """The rows of the output: each stands at the right of the window's, and below the kernel."""
        return Grid("y", self.rows, len(self.filters), self.kernel.left, self.matrix.top)

    @cached_property
    def maps(self) -> tuple[Grid, ...]:
        """The output as images, a grid for each filter, in two columns where there are more than two."""
        height, width = self.seen.places
        beside = 2 if len(self.filters) > 2 else 1
        side = pixel(beside * max(height, width))
        left = max(self.kernel.right, self.kernel.left + _KERNEL_TITLED) + _GAP
        top = MARGIN + _HEAD
        step, down = max(width * side, _TITLED) + 14, height * side + _HEAD
        return tuple(
            Grid(f"m{f}", height, width, left + f % beside * step, top + f // beside * down, side, side)
            for f in self.filters
        )

    @property
    def grids(self) -> tuple[Grid, ...]:
        """All of them."""
        return (*self.images, self.kernel, self.matrix, self.output, *self.maps)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the picture."""
        titled = max(g.left + _TITLED for g in (*self.images, *self.maps))
        return max(titled, *(g.right for g in self.grids)) + MARGIN, max(g.bottom for g in self.grids) + MARGIN

    def first_of(self, window: int) -> int:
        """The first of the windows whose rows are shown together with that of `window`; the last ones fill a page."""
        return min(window - window % self.rows, self.seen.windows - self.rows)

    def row_of(self, window: int) -> int:
        """The row that a window has among those shown with it."""
        return window - self.first_of(window)

    def page_of(self, window: int) -> range:
        """The windows whose rows are shown together with that of `window`."""
        first = self.first_of(window)
        return range(first, first + self.rows)

    def turns(self, window: int) -> bool:
        """Whether other rows are shown than those of the window before."""
        return not window or self.first_of(window) != self.first_of(window - 1)


def pixel(side: int) -> float:
    """How wide a pixel is drawn, where there are `side` of them in a row."""
    return max(5.0, min(_LARGEST_PIXEL, float(int(_PICTURE / side))))
