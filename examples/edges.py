"""Two filters look for edges in a small picture: a convolution small enough to be followed window by window.

The first filter is large where the picture gets brighter to the right, the second where it does downwards.

graphdl draw examples/edges.py -o window.html --view window
graphdl draw examples/edges.py -o window.svg --view window --steps 8
graphdl draw examples/edges.py -o edges.svg
python examples/edges.py
"""

import numpy as np

import graphdl as gd

ROWS = ["......", ".####.", "....#.", "...#..", "..#...", "..#..."]
image = np.array([[[float(letter == "#") for letter in row] for row in ROWS]])[..., None]
right = np.array([[-1.0, 0.0, 1.0]] * 3)

x = gd.placeholder((None, 6, 6, 1), "float64", name="x")
K = gd.Variable(np.stack([right, right.T], axis=-1)[:, :, None], name="K")
edges = gd.conv2d(x, K, name="edges")
loss = gd.mean(gd.square(edges), name="loss")

feeds = {x: image}


def im2col(picture, size=3):
    """What each window sees, in a row."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, (size, size))
    return windows.reshape(-1, size * size)


if __name__ == "__main__":
    session = gd.Session()
    found, arriving, slope = session.run([edges, *gd.gradients(loss, [edges, K])], feeds)
    rows, columns = im2col(image[0, :, :, 0]), session.value(K).reshape(9, 2)
    for name, number in zip(("brighter to the right", "brighter downwards"), range(2), strict=True):
        print(f"{name}:\n{found[0, :, :, number].astype(int)}")
    print("im2col times the kernel is the convolution:", np.allclose(rows @ columns, found.reshape(16, 2)))
    by_hand = rows.T @ arriving.reshape(16, 2)
    print("its transpose times the gradient that arrives is the kernel's:", np.allclose(by_hand, slope.reshape(9, 2)))
