"""200 MB of doubles kept by Metaflow: the peer of persisting. Prints the seconds from the last write to the next task's start."""

import time

import numpy
from metaflow import FlowSpec, Parameter, step


class PersistFlow(FlowSpec):
    n = Parameter("n", default=25_000_000)

    @step
    def start(self):
        self.data = numpy.arange(self.n) * 0.5
        self.written = time.time()
        self.next(self.end)

    @step
    def end(self):
        print("visible after %.6f s" % (time.time() - self.written))


if __name__ == "__main__":
    PersistFlow()
