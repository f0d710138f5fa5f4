"""What Python programs spend their time on: calls, objects, strings, dictionaries, floating point."""

import json
import math


class Body:
    def __init__(self, x, v, mass):
        self.x, self.v, self.mass = x, v, mass

    def energy(self):
        return self.mass * self.v * self.v / 2


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def primes(limit):
    sieve = bytearray([1]) * limit
    for i in range(2, math.isqrt(limit) + 1):
        if sieve[i]:
            sieve[i * i::i] = bytes(len(range(i * i, limit, i)))
    return sum(sieve) - 2


def words(count):
    seen = {}
    for i in range(count):
        word = f"w{i * 7919 % 997}"
        seen[word] = seen.get(word, 0) + len(word)
    return sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:5]


def simulate(steps):
    bodies = [Body(float(i), 1.0 / (i + 1), i + 1.0) for i in range(10)]
    for _ in range(steps):
        for body in bodies:
            body.v -= 0.001 * math.sin(body.x)
            body.x += 0.01 * body.v
    return round(sum(body.energy() for body in bodies), 9)


print(fib(21), primes(300_000), words(60_000), simulate(3_000))
document = json.loads(json.dumps([{"id": i, "name": f"n{i}", "tags": [i % 3, i % 5]} for i in range(4_000)]))
print(sum(entry["tags"][0] for entry in document))
