"""Two apples at 100 won each, and 10 % tax: a graph of two products, its gradients, and its pictures.

graphdl draw examples/apple_shop.py
graphdl draw examples/apple_shop.py -o steps.txt
python examples/apple_shop.py
"""

import sys
import tempfile
from pathlib import Path

import graphdl as gd

price = gd.placeholder((), "float64", name="price")
count = gd.placeholder((), "float64", name="count")
tax = gd.placeholder((), "float64", name="tax")

cost = gd.multiply(price, count, name="cost")
loss = gd.multiply(cost, tax, name="total")

feeds = {price: 100.0, count: 2.0, tax: 1.1}

if __name__ == "__main__":
    session = gd.Session()
    print(f"total = {session.run(loss, feeds):g}")
    slopes = gd.gradients(loss, [price, count, tax])
    for name, slope in zip(("price", "count", "tax"), session.run(slopes, feeds), strict=True):
        print(f"d total / d {name} = {slope:g}")

    folder = Path(tempfile.mkdtemp() if "--quick" in sys.argv else ".")
    for suffix in (".svg", ".png", ".txt"):
        print("wrote", gd.draw(loss, folder / f"apple_shop{suffix}", feeds=feeds))
