"""The chain rule at work on z = (x + y)^2: what arrives at each node, what it passes on.

graphdl draw examples/chain_rule.py
graphdl show examples/chain_rule.py --stage gradient
python examples/chain_rule.py
"""

import graphdl as gd

x = gd.placeholder((), "float64", name="x")
y = gd.placeholder((), "float64", name="y")

t = gd.add(x, y, name="t")
loss = gd.square(t, name="z")

feeds = {x: 3.0, y: 4.0}

if __name__ == "__main__":
    derivation = gd.derive(loss, [x, y])
    session = gd.Session()
    print(f"z = {session.run(loss, feeds):g}")
    for step in derivation.steps:
        for term in step.terms:
            upstream, sent = session.run([step.upstream, term.gradient], feeds)
            print(f"at {step.node.label}: {upstream:g} arrives, {sent:g} goes back to {term.source.label}")
    dx, dy = session.run(list(derivation.gradients), feeds)
    print(f"dz/dx = {dx:g} and dz/dy = {dy:g}, which is 2 (x + y)")
    print("in closed form, dz/dx =", gd.to_sympy(derivation.gradients[0]))
