"""Ratios against a hand-written twin in the same run; see __main__.py."""
