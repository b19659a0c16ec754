#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""The matrix of platforms, mapping strategies and workloads:  matrix.py OUT

Reads what tests/bench/matrix counted: OUT/matrix/xen/count.csv, with the
hypervisor, and OUT/matrix/bare/count.csv, without, as far as they are there.
Writes OUT/matrix.csv, "platform,strategy,workload,what,per_op", and matrix.txt.
An operation is a read of 4 KiB, 1448 bytes of a stream, a byte there and back, or a
pair. A cell that
was not run is there, and its value is the word "missing".

platform  bare, trap, sidecore; guest: a guest without a unit
strategy  of the Linux module: strict, deferred, optimistic, shared; of Linux
          itself: linux-strict, linux-deferred, and none, in pass-through or
          without a unit; hypervisor: Linux's strict, and optimistic teardown
what      guest, xen (on the guest's processor, the unit's functions there:
          xen_core), sidecore: instructions; exits, of them register_exits;
          flushes, by hardware; descriptors of the guest; pairs; us by its clock
"""
import csv
import os
import sys

from page import text_table

MODULE = ["strict", "deferred", "optimistic", "shared"]
CELLS = [("bare", s) for s in ["none", "linux-strict", "linux-deferred"] + MODULE]
CELLS += [("guest", "none")]
CELLS += [(p, s) for p in ("trap", "sidecore") for s in
          ["linux-strict", "linux-deferred", "hypervisor"] + MODULE]
WORKLOADS = ["pairs", "nvme-read-1", "nvme-read-32", "net-send", "net-receive",
             "net-rr"]
WHATS = {"guest": "guest", "xen": "xen_guest_cpu", "xen_core": "xen_core",
         "sidecore": "xen_sidecore_work", "exits": "exits",
         "register_exits": "register_exits", "flushes": "flushes",
         "descriptors": "descriptors", "pairs": "pairs", "us": "us"}
# A guest without a unit has nothing of which there are pairs.
NOT_A_CELL = {("guest", "none", "pairs")}


def config_of(platform, strategy):
    """What tests/bench/count calls it."""
    if platform == "guest":
        return "none"
    if strategy in MODULE:
        return f"{platform}-module-{strategy}"
    return f"{platform}-" + {"linux-strict": "strict", "hypervisor": "optimistic",
                             "linux-deferred": "deferred"}.get(strategy, strategy)


def read_counts(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="ascii") as f:
        return {(r["config"], r["workload"], r["what"]): float(r["per_pair"])
                for r in csv.DictReader(f)}


def cells():
    for p, s in CELLS:
        for w in WORKLOADS:
            if (p, s, w) not in NOT_A_CELL:
                yield p, s, w


def text(v):
    return "missing" if v is None else f"{v:.4g}" if v < 100 else f"{v:.0f}"


def compose(counts):
    """{(platform, strategy, workload): {what: for each operation}}; None: missing"""
    out = {}
    for p, s, w in cells():
        c = config_of(p, s)
        pairs = counts.get((c, w, "pairs"))
        out[p, s, w] = None if pairs is None else {
            what: counts.get((c, w, name), 0) * (1 if what == "pairs" else pairs)
            for what, name in WHATS.items() if (c, w, name) in counts}
    return out


def rows_of(matrix, workload):
    """A table of a workload: a row a cell."""
    for p, s, w in cells():
        if w == workload:
            m = matrix[p, s, w]
            yield [f"{p}, {s}"] + ["missing" if m is None else text(m.get(what))
                                   for what in WHATS]


def load(where):
    """The matrix; None: nothing was counted."""
    counts = {}
    for part in ("xen", "bare"):
        counts.update(read_counts(os.path.join(where, "matrix", part, "count.csv")))
    return compose(counts) if counts else None


def main(where):
    matrix = load(where)
    if matrix is None:
        sys.exit("matrix.py: nothing was counted: make bench-matrix")
    with open(os.path.join(where, "matrix.csv"), "w", encoding="ascii",
              newline="") as f:
        out = csv.writer(f)
        out.writerow(["platform", "strategy", "workload", "what", "per_op"])
        for key in cells():
            for what in WHATS:
                m = matrix[key]
                out.writerow([*key, what, text(m.get(what) if m else None)])
    missing = [k for k in cells() if matrix[k] is None]
    with open(os.path.join(where, "matrix.txt"), "w", encoding="utf-8") as f:
        f.write("For each operation: a pair, a read of 4 KiB, 1448 bytes of a "
                "stream.\n")
        for w in WORKLOADS:
            f.write("\n" + text_table([w, *WHATS], list(rows_of(matrix, w))))
        f.write(f"\n{len(matrix) - len(missing)} of {len(matrix)} cells were "
                "run\n")
        for k in missing:
            f.write(f"missing: {', '.join(k)}\n")


if __name__ == "__main__":
    main(sys.argv[1])
