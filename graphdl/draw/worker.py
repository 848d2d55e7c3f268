"""Runs Graphviz apart from the caller, who can stop it: reads a request as JSON, writes what Graphviz makes of it.

Started as a file, so that it imports Graphviz and nothing else. Request: {"dot": text, "prog": engine,
"format": name, "args": more}.
"""

import json
import sys


def main() -> int:
    """Answer the one request on standard input; 3 says that pygraphviz is missing."""
    request = json.load(sys.stdin)
    try:
        import pygraphviz
    except ImportError as error:
        sys.stderr.write(f"pygraphviz cannot be imported: {error}\n")
        return 3
    graph = pygraphviz.AGraph(string=request["dot"])
    made = graph.draw(format=request["format"], prog=request["prog"], args=request.get("args", ""))
    sys.stdout.buffer.write(made if isinstance(made, bytes) else made.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
