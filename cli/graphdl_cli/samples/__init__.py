"""The files that `graphdl demo` puts before the user: a first graph, and a classifier of handwritten digits."""
