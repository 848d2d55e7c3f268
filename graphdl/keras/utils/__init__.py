"""What Keras keeps under this name: the seed, one-hot rows, sequences of one length, pictures of models and images."""

from graphdl.draw.images import image_grid
from graphdl.keras.family import set_seed as set_random_seed
from graphdl.keras.fitting.pydataset import PyDataset, Sequence
from graphdl.keras.preprocessing.sequence import pad_sequences
from graphdl.keras.utils import np_utils
from graphdl.keras.utils.np_utils import to_categorical
from graphdl.keras.utils.vis_utils import plot_model

__all__ = [
    "PyDataset",
    "Sequence",
    "image_grid",
    "np_utils",
    "pad_sequences",
    "plot_model",
    "set_random_seed",
    "to_categorical",
]
