#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""Makes the bench's report:  report.py DIR

DIR/rows     what tests/bench/in-dom0 printed, one measurement a line
DIR/machine  NAME: VALUE lines about where it ran
DIR/native.csv  of tests/bench/native
DIR/count.csv   of tests/bench/count
DIR/matrix   of tests/bench/matrix, and what line.py makes of matrix.csv

What is not there the report says, but for native.csv. Writes DIR/report.html, and
results.csv and summary.txt if there are rows.
"""
import csv
import html
import os
import statistics
import sys

import line
import line_page
import matrix
from page import STYLE, bars, curve, image, table, text_table

CONFIGS = ["none", "pt", "trap-strict", "trap-optimistic",
           "sidecore-strict", "sidecore-optimistic", "none-busy"]
WORKLOADS = {
    "nvme-read-1": "NVMe random read, depth 1",
    "nvme-read-16": "NVMe random read, depth 16",
    "nvme-read-32": "NVMe random read, depth 32",
    "nvme-write-1": "NVMe random write, depth 1",
    "nvme-write-32": "NVMe random write, depth 32",
    "net-send": "TCP stream, guest sends",
    "net-receive": "TCP stream, guest receives",
    "net-rr": "TCP request and response",
}


COLOURS = dict(zip(CONFIGS, ["#9aa0a6", "#5f6368", "#d93025", "#f29900",
                             "#1a73e8", "#188038", "#c5a3d9"]))


def read_rows(path):
    rows = []
    with open(path, encoding="ascii") as f:
        for line in f:
            row = dict(word.split("=", 1) for word in line.split())
            for k in row:
                if k not in ("config", "workload"):
                    row[k] = float(row[k])
            rows.append(row)
    return rows


class Results:
    """Measurements by workload and configuration, and what follows of them."""

    def __init__(self, rows):
        self.rows = rows
        self.workloads = [w for w in WORKLOADS
                          if any(r["workload"] == w for r in rows)]
        self.configs = [c for c in CONFIGS
                        if any(r["config"] == c for r in rows)]
        self.base = {(r["workload"], r["round"]): r["rate"] for r in rows
                     if r["config"] == "none"}

    def of(self, workload, config):
        return [r for r in self.rows
                if r["workload"] == workload and r["config"] == config]

    def ratios(self, workload, config):
        """Rate over that without a unit in the same round."""
        return [r["rate"] / self.base[workload, r["round"]]
                for r in self.of(workload, config)
                if self.base.get((workload, r["round"]))]

    def ratio(self, workload, config):
        r = self.ratios(workload, config)
        return statistics.median(r) if r else None

    def total(self, workload, config, *names):
        rows = self.of(workload, config)
        if not rows or any(n not in r for r in rows for n in names):
            return None
        return sum(r[n] for r in rows for n in names)

    def per(self, workload, config, above, below):
        """Sum of counters over another sum, over all rounds."""
        a = self.total(workload, config, *above)
        b = self.total(workload, config, *below)
        return a / b if a is not None and b else None

    def largest(self, workload, config, name):
        values = [r[name] for r in self.of(workload, config) if name in r]
        return max(values) if values else None

    # An unmodified guest invalidates when it maps, and when it unmaps.
    def exits_per_pair(self, w, c):
        v = self.per(w, c, ("reg_reads", "reg_writes"), ("qi_iotlb",))
        return v if v is None else 2 * v

    def flushes_per_unmap(self, w, c):
        v = self.per(w, c, ("hw_flush_page", "hw_flush_domain"), ("qi_iotlb",))
        return v if v is None else 2 * v

    def revived(self, w, c):
        """Of the leaves that the guest mapped, how many were still there."""
        return self.per(w, c, ("leaves_revived",),
                        ("leaves_revived", "leaves_mapped"))


class Counted:
    """Instructions and others for each pair, from count.csv."""

    def __init__(self, rows):
        self.v = {(r["workload"], r["config"], r["what"]): float(r["per_pair"])
                  for r in rows}
        self.workloads = [w for w in WORKLOADS if any(k[0] == w for k in self.v)]
        self.configs = [c for c in CONFIGS if any(k[1] == c for k in self.v)]

    def of(self, workload, config, what):
        return self.v.get((workload, config, what))

    def xen(self, workload, config):
        """On both processors, beyond what there is without a unit."""
        v = [self.of(workload, c, what) for c, what in (
            (config, "xen_guest_cpu"), (config, "xen_sidecore_work"),
            ("none", "xen_guest_cpu"))]
        return None if None in v else max(v[0] + v[1] - v[2], 0)


def number(v, digits=2):
    return "-" if v is None else f"{v:.{digits}f}"


def percent(v):
    return "-" if v is None else f"{100 * v:.0f} %"


COSTS = [
    ("pairs per operation",
     lambda r, w, c: half(r.per(w, c, ("qi_iotlb",), ("ops",))), number),
    ("register exits per pair", Results.exits_per_pair, number),
    ("all exits per operation",
     lambda r, w, c: r.per(w, c, ("exits",), ("ops",)), number),
    ("of them, memory-mapped",
     lambda r, w, c: r.per(w, c, ("exits_mmio",), ("ops",)), number),
    ("physical flushes per unmap", Results.flushes_per_unmap, number),
    ("leaves revived", Results.revived, percent),
    ("pages pinned", lambda r, w, c: r.largest(w, c, "pinned_middle"),
     lambda v: number(v, 0)),
    ("pages stale", lambda r, w, c: r.largest(w, c, "stale_middle"),
     lambda v: number(v, 0)),
    ("longest stale, us", lambda r, w, c: r.largest(w, c, "max_stale_us"),
     lambda v: number(v, 0)),
    ("guest CPU",
     lambda r, w, c: r.per(w, c, ("cpu_s",), ("wall_s",)), percent),
]


def has_unit(config):
    return "-" in config and config != "none-busy"


def half(v):
    return None if v is None else v / 2


def grouped(r, configs):
    """What bars() has to know of either."""
    return ([(w, WORKLOADS[w]) for w in r.workloads],
            [(c, COLOURS[c]) for c in configs])


def scaled(v, by):
    return None if v is None else v * by


# ---- output -----------------------------------------------------------------

def throughput_table(res):
    head = ["", "no unit: a second"] + [c for c in res.configs if c != "none"]
    body = []
    for w in res.workloads:
        rates = [r["rate"] for r in res.of(w, "none")]
        unit = "Mbit" if w in ("net-send", "net-receive") else "operations"
        row = [WORKLOADS[w], f"{statistics.median(rates):.0f} {unit}"]
        for c in res.configs[1:]:
            v = res.ratios(w, c)
            row.append("-" if not v else
                       f"{100 * statistics.median(v):.0f} % "
                       f"({100 * min(v):.0f}-{100 * max(v):.0f})")
        body.append(row)
    return head, body


def cost_tables(res):
    units = [c for c in res.configs if c != "none"]
    for w in res.workloads:
        yield w, [WORKLOADS[w]] + res.configs, [
            [name] + [show(get(res, w, c)) for c in ["none"] + units]
            for name, get, show in COSTS]


def aims(res):
    """What is aimed at, and whether it was reached."""
    out = []
    c = "sidecore-optimistic"
    for w in res.workloads:
        v = res.ratio(w, c)
        if v is not None:
            out.append((f"{WORKLOADS[w]}: {c} at least 95 % of no unit",
                        percent(v), v >= 0.95))
    for w in res.workloads:
        for c in ("trap-optimistic", "sidecore-optimistic"):
            v = res.flushes_per_unmap(w, c)
            if v is not None and w.startswith("nvme"):
                out.append((f"{WORKLOADS[w]}: {c}, at most 0.05 physical "
                            "flushes per unmap", number(v, 3), v <= 0.05))
    return out


def overcommit(free):
    """Two guests that are promised more than there is."""
    out = ["<h2>Memory that no device uses</h2>"]
    if not free:
        return out + ["<p>Not here: <code>tests/ts/run overcommit-trap-6.12"
                      "</code> runs two guests that together are promised "
                      "more memory than the host has, and leaves the curve "
                      "for the next report.</p>"]
    named = [(t - free[0][0], kib, name.replace("_", " "))
             for t, kib, name in free if name]
    body = [[f"{n}: {name}", str(t), str(kib // 1024)]
            for n, (t, kib, name) in enumerate(named, 1)]
    return out + [
        "<p>Free memory of a host of 2 GiB, of which dom0 has one, while two "
        "guests run that are promised 640 MiB each and have 256, each with "
        "an NVMe at work; the balloon of the first goes down and up under "
        "load. From the last run of "
        "<code>tests/ts/run overcommit-trap-6.12</code>.</p>",
        image(curve(free), "Free memory over time; see the table"),
        table(["", "seconds", "MiB free"], body)]


def counted_section(counted):
    """What tests/bench/count counted."""
    units = [c for c in counted.configs if c != "none"]
    out = ["<h2>Instructions for each pair</h2>",
           image(bars(*grouped(counted, units), counted.xen,
                      "Xen's instructions per pair, beyond no unit"),
                 "Xen's instructions per pair; see the tables"),
           "<p>Counted in the emulated machine, of fixed work, by <code>make "
           "bench-count</code>; without those of physical flushes, which have "
           "a counter. The sidecore's are those of its work: polling is not "
           "counted. The plot has both processors. What is more, and the "
           "largest functions: <code>count.txt</code>.</p>"]
    whats = list(dict.fromkeys(k[2] for k in counted.v))
    for w in counted.workloads:
        out += ["<div class=wide>", table(
            [WORKLOADS[w]] + counted.configs,
            [[what.replace("_", " ")] +
             [number(counted.of(w, c, what), 0 if what.split("_")[0] in (
                 "guest", "xen") else 2)
              for c in counted.configs] for what in whats]), "</div>"]
    return out


def rates_section(res):
    """How fast, in ratios."""
    if not res.rows:
        return ["<h2>Throughput, relative to no unit</h2>",
                "<p>Not here: <code>make bench</code> measures it.</p>"]
    rounds = len({r["round"] for r in res.rows})
    h, b = throughput_table(res)
    return [
        "<h2>Throughput, relative to no unit</h2>",
        "<p>One boot of the rig with three guests, each with an NVMe and a "
        "network card passed through: one without a unit, one with "
        "<code>iommu=pt</code>, and one whose unit's settings are changed "
        "between measurements. Configurations are measured one after the "
        f"other, {rounds} rounds of each; a ratio compares measurements of "
        "one round. The table has the median of the rounds, and the least and "
        "the most.</p>",
        image(bars(*grouped(res, res.configs[1:]),
                   lambda w, c: scaled(res.ratio(w, c), 100),
                   "percent of no unit",
                   lambda w, c: (100 * min(res.ratios(w, c)),
                                 100 * max(res.ratios(w, c)))
                   if res.ratios(w, c) else (0, 0), line=100),
              "Throughput by workload and configuration; see the table"),
        "<div class=wide>", table(h, b), "</div>",
        "<p>Operations are I/Os of 4 KiB and transactions; streams are in "
        "10<sup>6</sup> bits.</p>",
    ]


def costs_section(res):
    """What was counted while that was measured."""
    if not res.rows:
        return []
    units = [c for c in res.configs if has_unit(c)]
    p = [
        "<h2>What a mapping costs</h2>",
        "<p>A <i>pair</i> is one mapping and one unmapping by the guest's "
        "driver, which tells the unit of each.</p>",
        image(bars(*grouped(res, units), res.exits_per_pair,
                   "register exits per pair"),
              "Register exits per pair; see the tables"),
        image(bars(*grouped(res, units), res.flushes_per_unmap,
                   "physical flushes per unmap", line=0.05),
              "Physical flushes per unmap; see the tables"),
    ]
    for _, head, body in cost_tables(res):
        p += ["<div class=wide>", table(head, body), "</div>"]
    p += [
        "<p><b>Register exits</b>: accesses to the unit's registers that "
        "trapped. <b>All exits</b>: of all guests during the measurement, "
        "from Xen's performance counters, without those of starting the "
        "program and of the console (CR0, CPUID, I/O ports) and without the "
        "sidecore's hypercalls; an operation of a stream is a packet. "
        "<b>Memory-mapped</b>: the local APIC's and the unit's registers. "
        "<b>Leaves revived</b>: of the leaves that the guest mapped, those "
        "that were there still. <b>Pages pinned, stale</b>: the most that "
        "was seen in the middle of a measurement. <b>Longest stale</b>: "
        "since the guest's start. <b>Guest CPU</b>: its share of one "
        "processor.</p>",
    ]
    if aims(res):
        p += ["<h2>What was aimed at</h2><ul>"]
        for what, value, ok in aims(res):
            p.append(f"<li>{html.escape(what)}: <b class="
                     f"{'yes' if ok else 'no'}>{value}"
                     f"{'' if ok else ', not reached'}</b></li>")
        p.append("</ul>")
    return p


def write_html(path, res, machine, native, free, counted, cells, filled):
    p = [
        "<!DOCTYPE html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        "<title>What a unit costs</title>", f"<style>{STYLE}</style>",
        "<h1>What an emulated VT-d costs</h1>",
        *line_page.intro(filled),
        "<p><b>What the numbers can say.</b> The machine is emulated in "
        "software, so a rate in absolute terms says nothing, and exits, "
        "table writes and flushes do not cost what they cost on hardware. "
        "Counts are exact. Ratios show which configuration is faster, not "
        "by how much it would be on a real machine. The sidecore needs a "
        "processor of its own, and here it takes one from those that emulate "
        "the devices.</p>",
        table(["where", ""], machine) if machine else "",
        *line_page.section(filled),
        *line_page.matrix_section(cells),
        *costs_section(res),
    ]
    if counted.v:
        p += counted_section(counted)
    p += rates_section(res)
    if native:
        p += ["<h2>Without a hypervisor</h2>",
              "<p>The same core and poll loop, compiled for user space, with "
              "hardware that costs nothing: what the emulation itself "
              "costs. Without Xen's lookups and exits it says nothing of "
              "what a line allows.</p>",
              table(["", "value", "unit"], native)]
    p += overcommit(free)
    if res.rows:
        p.append("<p>All counters of all measurements: "
                 "<a href=results.csv>results.csv</a>.</p>")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(p) + "\n")


def write_summary(path, res, machine, native):
    with open(path, "w", encoding="utf-8") as f:
        f.write("Throughput, relative to no unit in the same round "
                "(median, least-most)\n\n")
        f.write(text_table(*throughput_table(res)))
        for _, head, body in cost_tables(res):
            f.write("\n" + text_table(head, body))
        if aims(res):
            f.write("\nAimed at\n\n")
            for what, value, ok in aims(res):
                f.write(f"  {'yes' if ok else 'NO '}  {what}: {value}\n")
        if native:
            f.write("\nWithout a hypervisor\n\n")
            f.write(text_table(["", "value", "unit"], native))
        f.write("\nWhere\n\n")
        for name, value in machine:
            f.write(f"  {name}: {value}\n")


def write_csv(path, res):
    names = []
    for r in res.rows:
        names += [n for n in r if n not in names]
    with open(path, "w", encoding="ascii", newline="") as f:
        out = csv.writer(f)
        out.writerow(names + ["ratio"])
        for r in res.rows:
            base = res.base.get((r["workload"], r["round"]))
            out.writerow(
                [f"{v:g}" if isinstance(v, float) and v != int(v) else
                 int(v) if isinstance(v, float) else v
                 for v in (r.get(n, "") for n in names)] +
                [f"{r['rate'] / base:.4f}" if base else ""])


def rows_in(path, read):
    """What read(file) makes of a file; nothing, if it is not there."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return list(read(f))


def main(where):
    def at(name):
        return os.path.join(where, name)
    res = Results(read_rows(at("rows")) if os.path.exists(at("rows")) else [])
    cells = matrix.load(where)
    counted = rows_in(at("count.csv"), csv.DictReader)
    if not res.rows and not counted and cells is None:
        sys.exit("report.py: no measurement")
    try:
        filled = line.load(where) if os.path.exists(at("matrix.csv")) else None
    except line.Bad as e:
        sys.exit(f"report.py: {e}")
    machine = rows_in(at("machine"),
                      lambda f: (s.rstrip("\n").split(": ", 1) for s in f))
    native = rows_in(at("native.csv"), csv.reader)[1:]
    free = [(int(t), int(kib), name) for t, kib, name in rows_in(
        at("free"), lambda f: ((s.split() + [""])[:3] for s in f))]
    if res.rows:
        write_csv(at("results.csv"), res)
        write_summary(at("summary.txt"), res, machine, native)
    write_html(at("report.html"), res, machine, native, free,
               Counted(counted), cells, filled)


main(sys.argv[1])
