"""Getting data ready: numbers on one scale, texts as numbers, sequences as arrays."""

from graphdl.keras.preprocessing import numbers, sequence, text

__all__ = ["numbers", "sequence", "text"]
