"""What watches training from outside, with the names, arguments and defaults of Keras 3."""

from graphdl.keras.callbacks.averages import SwapEMAWeights
from graphdl.keras.callbacks.backup import BackupAndRestore
from graphdl.keras.callbacks.base import Callback, CallbackList, LambdaCallback
from graphdl.keras.callbacks.checkpoint import ModelCheckpoint
from graphdl.keras.callbacks.history import History
from graphdl.keras.callbacks.logs import CSVLogger, ProgbarLogger
from graphdl.keras.callbacks.rate import LearningRateScheduler, ReduceLROnPlateau
from graphdl.keras.callbacks.stopping import EarlyStopping, TerminateOnNaN
from graphdl.keras.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
