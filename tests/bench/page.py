# SPDX-License-Identifier: GPL-2.0-only
"""What the report is made of: tables, and plots by gnuplot, which are inside the
page."""
import base64
import html
import subprocess
import sys

STYLE = """
body { font: 16px/1.5 sans-serif; max-width: 62em; margin: 2em auto;
       padding: 0 1em; color: #202124; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2em; }
table { border-collapse: collapse; margin: 1em 0; font-size: 14px; }
th, td { padding: .25em .7em; border-bottom: 1px solid #ddd;
         text-align: right; font-variant-numeric: tabular-nums; }
th.left, thead th:first-child { text-align: left; font-weight: normal; }
thead th { border-bottom: 2px solid #888; }
img { max-width: 100%; } .wide { overflow-x: auto; }
.no { color: #b3261e; } .yes { color: #146c2e; }
"""


def table(head, body, first="left"):
    out = ["<table><thead><tr>"]
    out += [f"<th>{html.escape(h)}</th>" for h in head]
    out.append("</tr></thead><tbody>")
    for row in body:
        out.append("<tr>" + f"<th class={first}>{html.escape(row[0])}</th>" +
                   "".join(f"<td>{html.escape(v)}</td>" for v in row[1:]) +
                   "</tr>")
    out.append("</tbody></table>")
    return "".join(out)


def image(data, text):
    return (f'<img alt="{html.escape(text)}" '
            f'src="data:image/svg+xml;base64,{data}">')


def text_table(head, body):
    widths = [max(len(r[i]) for r in [head] + body) for i in range(len(head))]
    return "\n".join("  ".join(
        v.ljust(widths[i]) if i == 0 else v.rjust(widths[i])
        for i, v in enumerate(r)) for r in [head] + body) + "\n"


def gnuplot(script):
    done = subprocess.run(["gnuplot"], input=script, text=True, check=False,
                          capture_output=True)
    if done.returncode:
        sys.exit(f"gnuplot: {done.stderr.strip()}")
    return base64.b64encode(done.stdout.encode()).decode()


AXES = [
    "set terminal svg size 960,380 noenhanced font 'sans-serif,12'",
    "set grid ytics lc rgb '#dddddd'",
    "set border 3",
    "set tics nomirror",
]


def quoted(text):
    """As gnuplot wants it."""
    return "'" + text.replace("'", "''") + "'"


def two_lines(text):
    """Cut in the middle, so that it fits below its bars."""
    blanks = [i for i, c in enumerate(text) if c == " "]
    if not blanks:
        return text
    at = min(blanks, key=lambda i: abs(i - len(text) / 2))
    return text[:at] + "\\n" + text[at + 1:]


def bars(groups, configs, value, ylabel, spread=None, ymax=None, line=None):
    """Groups of bars: groups are names and texts, configs names and colours."""
    lines = ["$data << END"]
    for w, text in groups:
        cells = ['"' + two_lines(text) + '"']
        for c, _ in configs:
            v = value(w, c)
            low, high = spread(w, c) if spread else (v, v)
            cells += ["NaN"] * 3 if v is None else [
                f"{x:.4f}" for x in (v, low, high)]
        lines.append(" ".join(cells))
    lines.append("END")
    every = [v for w, _ in groups for c, _ in configs
             for v in [value(w, c)] if v is not None]
    if not ymax and not any(every):
        ymax = 1
    lines += AXES + [
        "set bmargin 4",
        "set style data histograms",
        "set style histogram errorbars gap 1.5 lw 1" if spread else
        "set style histogram clustered gap 1.5",
        "set style fill solid 1.0 border rgb 'white'",
        "set boxwidth 1.0",
        "set key outside top center horizontal",
        f"set ylabel {quoted(ylabel)}",
        f"set yrange [0:{ymax if ymax else '*'}]",
    ]
    if line:
        lines.append(f"set arrow from graph 0, first {line} to graph 1, "
                     f"first {line} nohead dt 2 lc rgb '#444444'")
    parts = []
    for i, (c, colour) in enumerate(configs):
        at = 2 + 3 * i
        using = f"{at}:{at + 1}:{at + 2}" if spread else f"{at}"
        parts.append(f"$data using {using}:xtic(1) title {quoted(c)} "
                     f"lc rgb '{colour}'")
    lines.append("plot " + ", ".join(parts))
    return gnuplot("\n".join(lines) + "\n")


def curve(points):
    """Free memory of the host over time; what has a name has a number."""
    points = [(t - points[0][0], kib / 1024, name) for t, kib, name in points]
    named = [p for p in points if p[2]]
    lines = ["$data << END"] + [f"{t} {mib:.1f}" for t, mib, _ in points]
    lines += ["END", "$named << END"]
    lines += [f"{t} {mib:.1f} {n}" for n, (t, mib, _) in enumerate(named, 1)]
    lines += ["END"] + AXES + [
        "set xlabel 'seconds'",
        "set ylabel 'MiB free'",
        "set yrange [0:*]",
        "set xrange [0:*]",
        "set offsets 0, graph 0.03, graph 0.1, 0",
        "unset key",
        "plot $data using 1:2 with lines lw 2 lc rgb '#4477aa', "
        "$named with points pt 7 ps 0.6 lc rgb '#4477aa', "
        "$named using 1:2:3 with labels offset 0.7,0.8",
    ]
    return gnuplot("\n".join(lines) + "\n")


def beside(x, n, series):
    """Where the n-th of several stands that are about the same x."""
    return x + (n - (len(series) - 1) / 2) * 0.26


def ranges(names, series, points, ylabel):
    """For each name a box from least to most of each series, (text, colour, values);
    points, (text, values), are beside the first series. None: there is none."""
    lines = []
    for n, (_, _, values) in enumerate(series):
        lines.append(f"$s{n} << END")
        for x, v in enumerate(values):
            if v:
                at = beside(x, n, series)
                # What is as good as one value is to be seen, too.
                low, high = min(v[0], v[1] - 1), v[1]
                lines.append(f"{at:.3f} {high:.2f} {at - .11:.3f} {at + .11:.3f} "
                             f"{low:.2f} {high:.2f}")
        lines += ["NaN NaN NaN NaN NaN NaN", "END"]
    lines.append("$points << END")
    lines += [f"{beside(x, 0, series):.3f} {v}"
              for x, v in enumerate(points[1]) if v is not None]
    lines += ["NaN NaN", "END"] + upright(names) + [
        f"set ylabel {quoted(ylabel)}", "set yrange [0:105]",
    ]
    parts = [f"$s{n} using 1:2:3:4:5:6 with boxxyerror fs solid lc rgb '{c}' "
             f"title {quoted(t)}" for n, (t, c, _) in enumerate(series)]
    if any(v is not None for v in points[1]):
        parts.append("$points with points pt 2 ps 1.2 lw 2 lc rgb 'black' "
                     f"title {quoted(points[0])}")
    return gnuplot("\n".join(lines + ["plot " + ", ".join(parts)]) + "\n")


def upright(names):
    """The setting of a plot with many names below it."""
    tics = ", ".join(f'"{t}" {x}' for x, t in enumerate(names))
    return AXES + [
        "set terminal svg size 960,480 noenhanced font 'sans-serif,12'",
        "set bmargin 11", f"set xtics ({tics}) rotate by 90 right",
        f"set xrange [-0.6:{len(names) - 0.4}]",
        "set key outside top center horizontal",
    ]


def stacked(names, series, ylabel, line=None):
    """For each name a bar of parts, (text, colour, values)."""
    lines = ["$data << END"]
    for x in range(len(names)):
        lines.append(" ".join([str(x)] + [f"{v[x]:.1f}" for _, _, v in series]))
    lines += ["END"] + upright(names) + [
        "set style fill solid 1.0 border rgb 'white'", "set boxwidth 0.7",
        f"set ylabel {quoted(ylabel)}", "set yrange [0:*]",
    ]
    if line:
        lines.append(f"set arrow from graph 0, first {line:.0f} to graph 1, "
                     f"first {line:.0f} nohead dt 2 lc rgb '#444444' front")
    parts = []
    # The highest first: what comes later is in front of it.
    for n in range(len(series), 0, -1):
        total = "+".join(f"${i + 2}" for i in range(n))
        parts.append(f"$data using 1:({total}) with boxes "
                     f"lc rgb '{series[n - 1][1]}' title {quoted(series[n - 1][0])}")
    return gnuplot("\n".join(lines + ["plot " + ", ".join(parts)]) + "\n")
