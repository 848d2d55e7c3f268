"""Two apples at 100 won each, and 10 % tax: what does the total owe to each of the three?

graphdl draw apple_shop.py
graphdl show apple_shop.py --stage gradient
"""

import graphdl as gd

price = gd.placeholder((), "float64", name="price")
count = gd.placeholder((), "float64", name="count")
tax = gd.placeholder((), "float64", name="tax")

cost = gd.multiply(price, count, name="cost")
loss = gd.multiply(cost, tax, name="total")

feeds = {price: 100.0, count: 2.0, tax: 1.1}
