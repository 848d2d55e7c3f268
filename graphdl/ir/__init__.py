"""The graph: types, immutable nodes, leaves, listings and files. Knows no op by name."""
