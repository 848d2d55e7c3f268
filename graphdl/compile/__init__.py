"""From an optimised graph to source text: schedule, buffers, names, lines, and the callable."""
