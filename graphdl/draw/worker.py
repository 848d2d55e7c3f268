"""Runs Graphviz apart from the caller, who can stop it: for each line with a request, what Graphviz makes of it.

Started as a file, so that it imports Graphviz and nothing else. Request: {"dot": text, "prog": engine,
"format": name, "args": more} in JSON. Answer: its length in eight bytes, the greatest first, then the answer.
"""

import json
import sys


def main() -> int:
    """Answer the requests on standard input; 3 says that pygraphviz is missing."""
    try:
        import pygraphviz
    except ImportError as error:
        sys.stderr.write(f"pygraphviz cannot be imported: {error}\n")
        return 3
    for line in sys.stdin:
        request = json.loads(line)
        graph = pygraphviz.AGraph(string=request["dot"])
        made = graph.draw(format=request["format"], prog=request["prog"], args=request.get("args", ""))
        answer = made if isinstance(made, bytes) else made.encode()
        sys.stdout.buffer.write(len(answer).to_bytes(8, "big") + answer)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
