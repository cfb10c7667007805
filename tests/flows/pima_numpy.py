"""What notebooks/02_pima.ipynb computes, a second time: with numpy, in float64, straight from the notebook's description."""

import math

import numpy as np

FEATURES, HIDDEN = 8, 8
MASK = (1 << 64) - 1


class SplitMix64:
    """Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014)."""

    def __init__(self, seed):
        self.state = seed & MASK

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def uniform(self):
        return (self.next() >> 11) / 2.0**53


def load(path):
    return np.loadtxt(path, delimiter=",", skiprows=1)


def split(rows, seed):
    """Shuffled row numbers (Fisher-Yates): for fitting, for validation, for the test."""
    random = SplitMix64(seed)
    order = list(range(rows))
    for i in range(rows - 1, 0, -1):
        j = random.next() % (i + 1)
        order[i], order[j] = order[j], order[i]
    train = rows * 7 // 10
    fit = train * 4 // 5
    return order[:fit], order[fit:train], order[train:]


def first_weights(seed):
    random = SplitMix64(seed)
    w1 = np.array([[2 * random.uniform() - 1 for _ in range(FEATURES)] for _ in range(HIDDEN)]) / math.sqrt(FEATURES)
    w2 = np.array([2 * random.uniform() - 1 for _ in range(HIDDEN)]) / math.sqrt(HIDDEN)
    return w1, np.zeros(HIDDEN), w2, 0.0


def forward(net, x):
    w1, b1, w2, b2 = net
    hidden = np.tanh(x @ w1.T + b1)
    return hidden, hidden @ w2 + b2


def mean_loss(net, x, y):
    z = forward(net, x)[1]
    return float(np.mean(np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - z * y))


def train(x, y, rate, epochs, seed):
    """(network, loss before each epoch) of full-batch gradient descent."""
    net = first_weights(seed)
    curve = []
    for _ in range(epochs):
        curve.append(mean_loss(net, x, y))
        w1, b1, w2, b2 = net
        hidden, z = forward(net, x)
        d = (1 / (1 + np.exp(-z)) - y) / len(y)
        back = np.outer(d, w2) * (1 - hidden**2)
        net = (w1 - rate * back.T @ x, b1 - rate * back.sum(0), w2 - rate * hidden.T @ d, b2 - rate * d.sum())
    return net, curve


def pima(path, rates, epochs, seed):
    """All figures of the notebook, by name."""
    table = load(path)
    x, y = table[:, :FEATURES], table[:, FEATURES]
    fit, validation, test = split(len(table), seed)
    mean = x[fit].mean(0)
    x = (x - mean) / np.sqrt(((x[fit] - mean) ** 2).mean(0))
    runs = [train(x[fit], y[fit], rate, epochs, seed) for rate in rates]
    losses = [mean_loss(net, x[fit], y[fit]) for net, _ in runs]
    validations = [mean_loss(net, x[validation], y[validation]) for net, _ in runs]
    best = int(np.argmin(validations))
    said = forward(runs[best][0], x[test])[1] > 0
    confusion = [[int(np.sum((y[test] == truth) & (said == answer))) for answer in (0, 1)] for truth in (0, 1)]
    return {
        "fit": fit, "validation": validation, "test": test, "x": x,
        "loss": losses, "validation_loss": validations, "curve": [curve for _, curve in runs],
        "net": [net for net, _ in runs], "best": best,
        "confusion": confusion, "accuracy": (confusion[0][0] + confusion[1][1]) / len(test),
    }
