"""The chain rule: gradients as nodes, with a record of every backward step."""
