"""The network of the course: 4 inputs, 3 hidden units, 1 output, and the derivative for its weight w11 on paper.

`loss` has matrices, `by_numbers` the same network with a node for every number.

graphdl derive examples/course_network.py --wrt w11
graphdl derive examples/course_network.py --wrt W1 --level matrix --ebp
graphdl derive examples/course_network.py:by_numbers --wrt w11
python examples/course_network.py
"""

import numpy as np

import graphdl as gd

WEIGHTS = np.array([[0.2, -0.4, 0.1], [0.5, 0.3, -0.2], [-0.3, 0.1, 0.4], [0.1, 0.2, -0.5]])
OUT = np.array([[0.6], [-0.3], [0.8]])
INPUT, TARGET = np.array([[1.0, 0.5, -1.5, 2.0]]), np.array([[1.0]])


def square_error(y, a):
    """(y - a)^2, the mean over the examples."""
    return gd.mean(gd.square(y - a), name="L")


x = gd.placeholder((None, 4), "float64", name="x")
y = gd.placeholder((None, 1), "float64", name="y")
W1 = gd.Variable(WEIGHTS, name="W1")
W2 = gd.Variable(OUT, name="W2")

z1 = gd.matmul(x, W1, name="z1")
a1 = gd.sigmoid(z1, name="a1")
a2 = gd.matmul(a1, W2, name="a2")
loss = square_error(y, a2)

feeds = {"x": INPUT, "y": TARGET}


def by_numbers():
    """The same loss; w11 leads from the first input to the first hidden unit."""
    w = [[gd.Variable(WEIGHTS[i, j], "float64", name=f"w{i + 1}{j + 1}") for j in range(3)] for i in range(4)]
    v = [gd.Variable(OUT[j, 0], "float64", name=f"v{j + 1}") for j in range(3)]
    xs = [gd.constant(INPUT[0, i], "float64", name=f"x{i + 1}") for i in range(4)]
    zs = [gd.add_n(*(xs[i] * w[i][j] for i in range(4)), name=f"z{j + 1}") for j in range(3)]
    hidden = [gd.sigmoid(z, name=f"a{j + 1}") for j, z in enumerate(zs)]
    out = gd.add_n(*(a * weight for a, weight in zip(hidden, v, strict=True)), name="a")
    return square_error(gd.constant(1.0, "float64", name="y"), out)


if __name__ == "__main__":
    session = gd.Session()
    error, slope = session.run([loss, gd.gradients(loss, W1)], feeds)
    print(f"L = {error:.6f}, dL/dw11 = {slope[0, 0]:.6f}")
    small = by_numbers()
    (w11,) = (node for node in gd.Graph(small).variables if node.name == "w11")
    print(f"number by number: L = {session.run(small):.6f}, dL/dw11 = {session.run(gd.gradients(small, w11)):.6f}")
