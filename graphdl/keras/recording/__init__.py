"""Recording a training run: snapshots as `fit` goes on, and the recording that is made of them."""

from graphdl.keras.recording.recorder import Recorder

__all__ = ["Recorder"]
