"""Every op, whole in one place. Importing this package fills the registry."""

from graphdl.ops import arithmetic, indexing, linalg, nn, parts, random, reduce, scan, shape, transcendental

__all__ = ["arithmetic", "indexing", "linalg", "nn", "parts", "random", "reduce", "scan", "shape", "transcendental"]
