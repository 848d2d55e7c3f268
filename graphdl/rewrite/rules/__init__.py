"""Rules by subject: a rule is one function, its pattern in the decorator, its equation in the docstring."""
