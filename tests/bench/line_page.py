# SPDX-License-Identifier: GPL-2.0-only
"""The report's sections about the line (line.py) and the matrix (matrix.py), and
its first paragraph."""
import html

import fit
import line as model
import matrix
from page import image, ranges, stacked, table

GBIT_COLOURS = {10: "#188038", 25: "#1a73e8", 100: "#d93025"}
PART_COLOURS = dict(zip(model.PARTS, ["#9aa0a6", "#1a73e8", "#d93025", "#f29900",
                                      "#188038", "#c5a3d9"]))


def spelled(cells):
    return "; ".join(", ".join(c) for c in cells)


def intro(line):
    """For a reader who knows the paper."""
    out = [
        "<p><b>If you know the paper</b> (vIOMMU, USENIX ATC 2011). <i>Reproduced:</i> "
        "its unit for an unmodified guest, in trap mode and with a sidecore for "
        "which the guest never exits; optimistic teardown in the guest, as the "
        "paper has it, by a Linux module, and also in the hypervisor, for a guest "
        "that stays as it is; strict and deferred; all on bare metal, too. "
        "<i>Not reproduced:</i> its throughput, its latencies and its "
        "applications, since nothing here ran on hardware. "
        "<i>Measured</i> is what is counted in an emulated machine: instructions, "
        "exits, flushes, descriptors. <i>Computed</i>, from these and from costs that "
        "others published or that are assumed, is what a line is filled to. "]
    if line is None:
        return out + ["Here it is not computed: <code>make bench-matrix</code> "
                      "counts what is missing.</p>"]
    said = list(model.verdicts(line))
    order = [ok for ok, text in said if " below " in text]
    off = list(model.far_off(line))
    out.append(
        f"For the paper's machine, {order.count(True)} of {len(order)} "
        "comparisons within its table come out as there")
    if order.count(False):
        out.append(f", <b class=no>{order.count(False)} otherwise</b>")
    if order.count(None):
        out.append(f", {order.count(None)} lack a cell")
    out.append(f"; {len(off) or 'no'} cell{'s' * (len(off) != 1)} of it "
               f"{'is' if len(off) == 1 else 'are'} more than {model.MOST_OFF} "
               "points off")
    out.append(f" ({html.escape(spelled(c for c, _ in off))}), of which more is "
               "said below.</p>" if off else ".</p>")
    return ["".join(out)]


def paper_table(line):
    """The paper's percents, and computed ones for its machine."""
    head = ["", *("paper: " + s for s in model.STRATEGIES),
            *("here: " + s for s in model.STRATEGIES)]
    body = []
    for p in model.PLATFORMS:
        papers = [model.PAPER[p, s] for s in model.STRATEGIES]
        body.append([p] + ["-" if v is None else str(v) for v in papers] + [
            model.span(line.percent("paper-2010", (p, s), 10))
            for s in model.STRATEGIES])
    return head, body


def section(line):
    if line is None:
        return []
    names = [" ".join(c) for c in model.CELLS]
    out = [
        "<h2>What it comes to on a line</h2>",
        "<p>Percent of 10 Gbit/s, TCP stream: the paper's table, and what is computed "
        "for its machine. The strategies are the guest's. \"Linux's default\" is "
        "deferred. The paper's 30 is remembered, not read.</p>",
        table(*paper_table(line)),
    ]
    for ok, text in model.verdicts(line):
        if ok is not True or " off: " in text:
            mark = {True: "", False: "<b class=no>not as in the paper:</b> ",
                    None: "<b class=no>not compared:</b> "}[ok]
            out.append(f"<p>{mark}{html.escape(text)}</p>")
    for m in model.MACHINES:
        series = [(f"{g} Gbit/s", GBIT_COLOURS[g],
                   [line.percent(m, c, g) for c in model.CELLS])
                  for g in model.GBITS]
        paper = [model.PAPER.get(c) if m == "paper-2010" else None
                 for c in model.CELLS]
        out.append(f"<h3>{m}</h3>")
        out.append(image(ranges(names, series, ("paper, 10 Gbit/s", paper),
                                "percent of the line"),
                         f"Percent of the line on {m}; see the table"))
        here = [c for c in model.CELLS if line.ends[m, c]]
        if here:
            parts = [(p, PART_COLOURS[p], [line.ends[m, c][1][p] for c in here])
                     for p in model.PARTS]
            out.append(image(
                stacked([" ".join(c) for c in here], parts,
                        "cycles for a frame, dear inputs",
                        model.frame_cycles(line.inputs[m], 10)),
                f"Cycles for a frame by part on {m}; see the table"))
    out += [
        "<p>Of each range the lower end has dear inputs and the costlier direction, "
        "the upper one cheap inputs and the cheaper direction. The broken line is "
        "the time of a frame at 10 Gbit/s. <b>linux-</b>: without the module; "
        "<b>hypervisor</b>: Linux as it is, strict, and the hypervisor's optimistic "
        "teardown. Left out are the interrupts of the card.</p>",
        "<div class=wide>", table(*model.percent_table(line)), "</div>",
        "<p>Cycles for a frame by part, with cheap and with dear inputs.</p>"]
    for m in model.MACHINES:
        out += ["<div class=wide>", table(*model.parts_table(line, m)), "</div>"]
    out.append("<h3>What was aimed at</h3><ul>")
    for text, reached, why in model.aims(line):
        out.append(f"<li>{html.escape(text)}: <b class="
                   f"{'yes' if reached == 'yes' else 'no'}>{reached}</b> "
                   f"({html.escape(why)})</li>" if why else
                   f"<li>{html.escape(text)}: <b class=no>{reached}</b></li>")
    out += [
        "</ul><h3>Its inputs</h3>", "<div class=wide>",
        table(["machine", "input", "value", "how sure, and where from"],
              line.shown), "</div>",
        "<h3>Does its form hold?</h3>",
        "<p>On the rig time can be measured, and costs can be fitted: so much for "
        "each pair, exit, flush and wait. Each configuration is left out once, and "
        "its throughput predicted by what the others give. The rig shares its "
        "processors with whatever else runs, which is in these errors, too. "
        f"{html.escape(fit.summary(line.fit))}</p>",
        "<div class=wide>", table(*model.fit_table(line)), "</div>"]
    return out


def matrix_section(cells):
    """cells: as matrix.compose() gives them."""
    if cells is None:
        return []
    missing = [k for k, v in cells.items() if v is None]
    out = ["<h2>The matrix</h2>",
           "<p>Counted for each operation: a pair, a read of 4 KiB, 1448 bytes of a "
           f"stream. {len(cells) - len(missing)} of {len(cells)} cells were run. "
           "A guest that waits for a sidecore polls: its instructions say how long "
           "the emulated machine took, not what it has to do. All: "
           "<a href=matrix.csv>matrix.csv</a>.</p>"]
    for w in matrix.WORKLOADS:
        out += ["<div class=wide>",
                table([w, *matrix.WHATS], list(matrix.rows_of(cells, w))), "</div>"]
    return out
