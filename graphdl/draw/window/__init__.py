"""A convolution, window by window: what it sees, the matrix product that it is, and how gradients come back."""
