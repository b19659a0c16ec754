# SPDX-License-Identifier: GPL-2.0-only
"""Does the form of the model hold where time can be measured, on the rig?

Time for an operation there is taken as that without a unit, and so much for each
pair, exit, flush and wait; how much is fitted, so that the relative errors are
least. Each configuration is left out once: what the others give is used to predict
its throughput.
"""
import itertools
import statistics

PARTS = ["pairs", "register_exits", "flushes", "waits"]


def points(per_op):
    """{((platform, strategy), workload): (us, us without a unit, counts)}"""
    out = {}
    for (p, s, w), v in per_op.items():
        base = per_op.get(("bare" if p == "bare" else "guest", "none", w))
        if s == "none" or not base or not base.get("us") or not v.get("us"):
            continue
        waits = v["descriptors"] if p == "sidecore" else 0
        out[(p, s), w] = v["us"], base["us"], [
            waits if x == "waits" else v.get(x, 0) for x in PARTS]
    return out


def solve(a, b):
    """The solution of a linear system; None: it has not one."""
    n = len(b)
    rows = [list(r) + [x] for r, x in zip(a, b)]
    for i in range(n):
        k = max(range(i, n), key=lambda r: abs(rows[r][i]))
        if abs(rows[k][i]) < 1e-12:
            return None
        rows[i], rows[k] = rows[k], rows[i]
        for r in range(n):
            if r != i:
                f = rows[r][i] / rows[i][i]
                rows[r] = [x - f * y for x, y in zip(rows[r], rows[i])]
    return [rows[i][n] / rows[i][i] for i in range(n)]


def costs(data):
    """What one of PARTS takes: none is less than 0, the squares of relative errors
    are least."""
    best = None
    data = [([x / us for x in counts], (us - base) / us)
            for us, base, counts in data]
    for n in range(len(PARTS) + 1):
        for used in itertools.combinations(range(len(PARTS)), n):
            a = [[sum(c[i] * c[j] for c, _ in data) for j in used] for i in used]
            c = solve(a, [sum(c[i] * y for c, y in data) for i in used])
            if c is None or any(x < 0 for x in c):
                continue
            full = [0.0] * len(PARTS)
            for i, x in zip(used, c):
                full[i] = x
            error = sum((y - sum(k * x for k, x in zip(full, v))) ** 2
                        for v, y in data)
            if best is None or error < best[0]:
                best = error, full
    return best[1]


def leave_one_out(per_op):
    """{(configuration, workload): predicted throughput over measured, less one}"""
    data, out = points(per_op), {}
    for left in {c for c, _ in data}:
        rest = [v for (c, _), v in data.items() if c != left]
        if not rest:
            continue
        k = costs(rest)
        for (c, w), (us, base, counts) in data.items():
            if c == left:
                out[c, w] = us / (base + sum(x * y for x, y in
                                             zip(k, counts))) - 1
    return {key: out[key] for key in data if key in out}


def summary(errors):
    if not errors:
        return "Nothing was left out: no times with and without a unit.\n"
    worst = max(errors, key=lambda k: abs(errors[k]))
    (config, workload), off = worst, [abs(v) for v in errors.values()]
    return (f"{len(off)} predictions: half of them are less than "
            f"{100 * statistics.median(off):.0f} % off; the worst, "
            f"{' '.join(config)} {workload}, is {100 * errors[worst]:+.0f} %.\n")
