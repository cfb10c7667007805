"""Metaflow's BranchFlow, the same graph as notebooks/01_branch_flow.ipynb: the peer in the benchmark."""

from metaflow import FlowSpec, step


class BranchFlow(FlowSpec):
    @step
    def start(self):
        self.next(self.a, self.b)

    @step
    def a(self):
        self.x = 1
        self.next(self.join)

    @step
    def b(self):
        self.x = 2
        self.next(self.join)

    @step
    def join(self, inputs):
        print("a is %s" % inputs.a.x)
        print("b is %s" % inputs.b.x)
        self.total = sum(i.x for i in inputs)
        print("total is %d" % self.total)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    BranchFlow()
