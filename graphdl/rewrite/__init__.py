"""Rewrites: patterns written as mathematics, passes from graph to new graph, and a log that replays."""
