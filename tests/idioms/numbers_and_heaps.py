import bisect
import cmath
import decimal
import fractions
import heapq
import math
import numbers
import operator
import statistics


def beam(scores, width):
    return heapq.nlargest(width, enumerate(scores), key=operator.itemgetter(1))


def run():
    heap = []
    for value in (5, 1, 3):
        heapq.heappush(heap, (value, str(value)))
    return (
        beam([0.1, 0.7, 0.2], 2), heapq.heappop(heap)[0], bisect.bisect([1, 3, 5], 4),
        str(decimal.Decimal("0.1") * 3), str(fractions.Fraction(1, 3) + 1), math.lgamma(5.5),
        abs(cmath.exp(1j)), statistics.stdev([1.0, 2.0, 4.0]), isinstance(3, numbers.Integral),
        math.isclose(0.1 + 0.2, 0.3),
    )
