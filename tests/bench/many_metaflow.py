"""A fan-out of N trivial tasks under Metaflow: the peer of the overhead a task."""

from metaflow import FlowSpec, Parameter, step


class ManyFlow(FlowSpec):
    n = Parameter("n", default=10)

    @step
    def start(self):
        self.numbers = list(range(self.n))
        self.next(self.work, foreach="numbers")

    @step
    def work(self):
        self.pair = (float(self.input), 0.5 * self.input)
        print("task %d" % self.input)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    ManyFlow()
