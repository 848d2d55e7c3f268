"""Sessions: state, feeds, runs, random numbers, and looking into a run node by node."""
