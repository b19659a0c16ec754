#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What was counted by plugin.c, made readable.

  count.py functions XEN-SYMS     the list of functions that the plugin reads
  count.py report DIR OUT         OUT/count.csv and OUT/count.txt, from what
                                  run left in DIR: functions, marks, rows
  count.py check DIR BOUNDS       are the totals within what BOUNDS states?
                                  Prints "N passed, N failed"

Everything is for each pair of a mapping and an unmapping, of which a guest that
sees caching mode tells its unit by two IOTLB invalidations. Without a unit, a
pair is as much of the same work as makes one in the configuration that has it.
The Linux module counts its pairs itself. On bare metal (configurations bare-...)
there is only a guest.

guest              instructions of the guest itself
xen_guest_cpu      of Xen on the guest's processor, idle and interrupts too
xen_core           of that, the unit's own functions
xen_sidecore_work  of Xen on the sidecore's processor, in calls of WORK
exits              of the guest's processor
register_exits     of that, for registers of the unit: its own counter
descriptors        in the guest's queue, without waits
flushes            physical flushes, and p2m_lookups: counters of the unit
pairs              for each operation: a read, 1448 bytes of a stream, a byte there
                   and back
us                 microseconds by the guest's clock

Xen's are without physical flushes: what is executed in calls of FLUSH is a
group of its own. By these names work is told from polling, and flushes from the
rest; if a function is renamed, or inlined so that it has no calls, that is said
and nothing is reported.
"""
import collections
import csv
import os
import re
import statistics
import subprocess
import sys

WORK = ["work_run_trylock"]
FLUSH = ["hw_flush"]
EXIT = "svm_vmexit_handler"
WAIT = "_spin_lock"
KINDS = {**{n: "w" for n in WORK}, **{n: "f" for n in FLUSH}, EXIT: "c"}

GUEST_CPU, SIDECORE_CPU, BARE_CPU = "1", "2", "0"
SEGMENT = 1448

# The first that matches is a function's group.
GROUPS = [
    ("core", r"drivers/viommu/|arch/x86/hvm/viommu"),
    ("VT-d driver", r"drivers/passthrough/"),
    ("exit, emulation", r"arch/x86/hvm/|arch/x86/x86_emulate|guest_walk|"
     r"arch/x86/x86_64/entry|arch/x86/.*emul"),
    ("p2m", r"arch/x86/mm|arch/x86/domain_page"),
    ("rest", ""),
]
FLUSH_GROUP = "physical flush"
WHATS = ["guest", "xen_guest_cpu", "xen_core", "xen_sidecore_work", "exits",
         "register_exits", "descriptors", "flushes", "p2m_lookups", "pairs", "us"]

SPREADS = ["guest", "xen_guest_cpu", "xen_sidecore_work"]


def die(text):
    sys.exit(f"count.py: {text}")


# ---- functions --------------------------------------------------------------

def symbols(path):
    """(address, type, binding, section, name) of all that an ELF file names."""
    out = subprocess.run(["readelf", "-sW", path], check=True,
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        w = line.split()
        if len(w) == 8 and w[0][:-1].isdigit():
            yield int(w[1], 16), w[3], w[4], w[6], w[7]


def sources(top):
    """Of global functions, the object: once linked, only local ones say."""
    found = {}
    for where, _, names in os.walk(top):
        for n in sorted(names):
            if not n.endswith(".o") or n.startswith(("built_in", "prelink")):
                continue
            path = os.path.join(where, n)
            source = os.path.relpath(path, top)
            try:
                for _, kind, bind, section, name in symbols(path):
                    if bind == "GLOBAL" and section.isdigit():
                        found.setdefault(name, source)
            except subprocess.CalledProcessError:
                pass
    return found


def functions(xen_syms):
    at, bounds, local = {}, {}, "-"
    where = sources(os.path.dirname(xen_syms))
    for addr, kind, bind, section, name in symbols(xen_syms):
        if kind == "FILE":
            local = name
        elif name in ("_stext", "_etext"):
            bounds[name] = addr
        elif section.isdigit() and kind in ("FUNC", "NOTYPE"):
            # Of several names the function's is the best.
            if addr not in at or kind == "FUNC":
                at[addr] = name, (local if bind == "LOCAL"
                                  else where.get(name, "-"))
    times = collections.Counter(name for name, _ in at.values())
    lost = [n for n in KINDS if times[n] != 1]
    if lost:
        die(f"Xen has not one function {', '.join(lost)}: was it renamed? The "
            "names are at the head of count.py")
    print(f"{bounds['_stext']:x} - _stext -")
    for addr, (name, source) in sorted(at.items()):
        if bounds["_stext"] < addr < bounds["_etext"]:
            kind = KINDS.get(name, "-")
            # A name that several files have.
            full = name if times[name] == 1 else f"{source}#{name}"
            print(f"{addr:x} {kind} {full} {source}")
    # Stubs and what is behind them; Xen's image has 1 GiB.
    print(f"{bounds['_etext']:x} - elsewhere -")
    print(f"{(bounds['_stext'] | (1 << 30) - 1) + 1:x} - end -")


def group_of(source):
    return next(g for g, pattern in GROUPS if re.search(pattern, source))


# ---- counts -----------------------------------------------------------------

class Counts:
    """Of one stretch: by processor and function, calls, all, work, flush."""

    def __init__(self, before, after):
        self.d = {k: [a - b for a, b in zip(v, before.get(k, [0] * 4))]
                  for k, v in after.items()}

    def of(self, cpu):
        return {name: v for (c, name), v in self.d.items()
                if c == cpu and name != "other"}

    def guest(self, cpu):
        return self.d.get((cpu, "other"), [0, 0])[1]

    def calls(self, cpu, name):
        return self.d.get((cpu, name), [0])[0]

    def flush(self, cpu):
        return sum(v[3] for v in self.of(cpu).values())

    def self_of(self, cpu):
        """Instructions by function that count, without flushes."""
        if cpu == SIDECORE_CPU:
            return {n: v[2] for n, v in self.of(cpu).items() if v[2]}
        return {n: v[1] - v[3] for n, v in self.of(cpu).items() if v[1] - v[3]}


def read_marks(path):
    marks, now = {}, None
    with open(path, encoding="ascii") as f:
        for line in f:
            w = line.split()
            if w[0] == "mark":
                now = marks.setdefault(int(w[1]), {})
            else:
                now[(w[0], w[1])] = [int(n) for n in w[2:]]
    return marks


def read_rows(path):
    rows = []
    with open(path, encoding="ascii") as f:
        for line in f:
            r = dict(w.split("=", 1) for w in line.split())
            rows.append({k: v if k in ("config", "workload") else int(v)
                         for k, v in r.items()})
    return rows


class Measured:
    """All of DIR."""

    def __init__(self, where):
        self.group, self.kind = {}, collections.defaultdict(list)
        with open(os.path.join(where, "functions"), encoding="ascii") as f:
            for line in f:
                _, kind, name, source = line.split()
                self.group[name] = group_of(source)
                self.kind[kind].append(name)
        marks = read_marks(os.path.join(where, "marks"))
        self.rows = read_rows(os.path.join(where, "rows"))
        for r in self.rows:
            if 2 * r["id"] + 1 not in marks:
                die(f"no marks of measurement {r['id']}: did the work run?")
            r["n"] = Counts(marks[2 * r["id"]], marks[2 * r["id"] + 1])
        self.configs = list(dict.fromkeys(r["config"] for r in self.rows))
        self.workloads = list(dict.fromkeys(r["workload"] for r in self.rows))
        self.whats = [x for x in WHATS
                      if x != "us" or all(x in r for r in self.rows)]
        for r in self.rows:
            r["pairs"] = self.pairs(r)
            r["v"] = self.values(r)
            self.doubt(r)

    def of(self, config, workload):
        return [r for r in self.rows
                if r["config"] == config and r["workload"] == workload]

    @staticmethod
    def pairs_of(row):
        """What a row itself says of them; None: nothing"""
        if "maps" in row:
            return row["maps"]
        if row["workload"] == "pairs":
            return row["operations"]
        if row["config"] == "bare-strict":
            return row["flushes"]
        # Which flushes when it likes to.
        if row["config"].endswith("-deferred"):
            return None
        return row["qi_iotlb"] / 2 if "qi_iotlb" in row else None

    def pairs(self, row):
        own = self.pairs_of(row)
        if own == 0:
            die(f"{row['config']} {row['workload']}: nothing was mapped")
        if own:
            return own
        for c in self.configs:
            known = [p for p in map(self.pairs_of, self.of(c, row["workload"]))
                     if p]
            if known:
                return statistics.mean(known)
        if row["workload"].startswith("nvme"):
            return row["operations"]
        die(f"{row['workload']}: how many pairs it makes only a configuration "
            "with a unit says")
        return None

    def values(self, row):
        n, pairs = row["n"], row["pairs"]
        bare = row["config"].startswith("bare")
        core = sum(v for name, v in n.self_of(GUEST_CPU).items()
                   if self.group[name] == "core")
        v = {
            "guest": n.guest(BARE_CPU if bare else GUEST_CPU),
            "xen_guest_cpu": sum(n.self_of(GUEST_CPU).values()),
            "xen_core": core,
            "xen_sidecore_work": sum(n.self_of(SIDECORE_CPU).values()),
            "exits": n.calls(GUEST_CPU, EXIT),
            "register_exits": row.get("reg_reads", 0) +
            row.get("reg_writes", 0),
            "descriptors": row.get("descriptors", row.get("qi_iotlb", 0)),
            "flushes": row.get("flushes", row.get("hw_flush_page", 0) +
                               row.get("hw_flush_domain", 0)),
            "p2m_lookups": row.get("p2m_lookups", 0),
        }
        if "us" in row:
            v["us"] = row["us"]
        v = {k: x / pairs for k, x in v.items()}
        operations = row["operations"]
        if row["workload"] in ("net-send", "net-receive"):
            operations /= SEGMENT
        v["pairs"] = pairs / operations
        return v

    def doubt(self, row):
        """Is what the names stand for what was executed?"""
        if row["config"].startswith("bare"):
            return
        sidecore = row["config"].startswith("sidecore")
        cpu = SIDECORE_CPU if sidecore else GUEST_CPU
        kinds = "c" + ("w" if sidecore else "") + \
            ("f" if row["v"]["flushes"] > 0.1 else "")
        # What the module finds again is no work for a sidecore.
        if row["v"]["descriptors"] < 0.1:
            kinds = kinds.replace("w", "")
        for k in kinds:
            names = self.kind[k]
            if not any(row["n"].calls(GUEST_CPU if k == "c" else cpu, n)
                       for n in names):
                die(f"{row['config']} {row['workload']}: no call of "
                    f"{', '.join(names)}; inlined now? See the head of count.py")

    def mean(self, config, workload, what):
        return statistics.mean(r["v"][what] for r in self.of(config, workload))

    def spread(self, config, workload, what):
        """How far the rounds are from their mean, at most."""
        v = [r["v"][what] for r in self.of(config, workload)]
        mean = statistics.mean(v)
        return max(abs(x - mean) for x in v) / mean if mean else 0

    def by_group(self, config, workload, cpu):
        total = collections.Counter()
        rows = self.of(config, workload)
        for r in rows:
            for name, n in r["n"].self_of(cpu).items():
                total[self.group[name]] += n / r["pairs"] / len(rows)
            total[FLUSH_GROUP] += r["n"].flush(cpu) / r["pairs"] / len(rows)
        return total

    def by_function(self, config, workload, cpu):
        total = collections.Counter()
        rows = self.of(config, workload)
        for r in rows:
            for name, n in r["n"].self_of(cpu).items():
                total[name] += n / r["pairs"] / len(rows)
        return total


# ---- report -----------------------------------------------------------------

def text_table(head, body):
    widths = [max(len(r[i]) for r in [head] + body) for i in range(len(head))]
    return "\n".join("  ".join(
        v.ljust(widths[i]) if i == 0 else v.rjust(widths[i])
        for i, v in enumerate(r)) for r in [head] + body) + "\n"


def number(v):
    return f"{v:,.0f}" if v >= 100 else f"{v:.2f}"


def report(where, to):
    m = Measured(where)
    with open(os.path.join(to, "count.csv"), "w", encoding="ascii",
              newline="") as f:
        out = csv.writer(f)
        out.writerow(["config", "workload", "what", "per_pair"])
        for c in m.configs:
            for w in m.workloads:
                # Not each is counted with each.
                for what in m.whats if m.of(c, w) else []:
                    out.writerow([c, w, what, f"{m.mean(c, w, what):.2f}"])

    with open(os.path.join(to, "count.txt"), "w", encoding="utf-8") as f:
        f.write("For each pair of a mapping and an unmapping; instructions "
                "without those of physical flushes.\n")
        for w in m.workloads:
            configs = [c for c in m.configs if m.of(c, w)]
            rows = [[what] + [number(m.mean(c, w, what)) for c in configs]
                    for what in m.whats]
            if "none" in configs:
                rows.append(["xen_guest_cpu, beyond no unit"] + [
                    number(m.mean(c, w, "xen_guest_cpu") -
                           m.mean("none", w, "xen_guest_cpu"))
                    for c in configs])
            rows.append(["rounds differ from their mean by, %"] + [
                f"{100 * max(m.spread(c, w, x) for x in SPREADS):.1f}"
                for c in configs])
            f.write("\n" + text_table([w] + configs, rows))
            for cpu, name in ((GUEST_CPU, "the guest's processor"),
                              (SIDECORE_CPU, "the sidecore's, work")):
                groups = {c: m.by_group(c, w, cpu) for c in configs}
                f.write("\n" + text_table(
                    ["Xen on " + name] + configs,
                    [[g] + [number(groups[c][g]) for c in configs]
                     for g in [g for g, _ in GROUPS] + [FLUSH_GROUP]]))
        f.write("\nThe largest functions\n")
        w = m.workloads[0]
        for c in [c for c in m.configs if m.of(c, w)]:
            cpu = SIDECORE_CPU if c.startswith("sidecore") else GUEST_CPU
            f.write(f"\n{c}, {w}, processor {cpu}\n")
            for name, n in m.by_function(c, w, cpu).most_common(20):
                f.write(f"  {n:9,.0f}  {name}  ({m.group[name]})\n")


def check(where, bounds):
    """Lines of BOUNDS: CONFIG WORKLOAD WHAT MOST."""
    m = Measured(where)
    passed = failed = 0
    with open(bounds, encoding="ascii") as f:
        for line in f:
            w = line.split("#")[0].split()
            if not w:
                continue
            config, workload, what, most = w
            if not m.of(config, workload):
                die(f"{bounds}: {config} {workload} was not measured")
            v = m.mean(config, workload, what)
            if what == "xen_sidecore_work":
                # Who holds a lock may stand still, on a machine that is busy.
                v -= m.by_function(config, workload, SIDECORE_CPU)[WAIT]
            text = (f"{config} {workload}: {what} {number(v)}, "
                    f"bound {number(float(most))}")
            if v <= float(most):
                print("PASS " + text)
                passed += 1
            else:
                print("FAIL " + text)
                failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


def main(args):
    if len(args) == 2 and args[0] == "functions":
        functions(args[1])
    elif len(args) == 3 and args[0] == "report":
        report(args[1], args[2])
    elif len(args) == 3 and args[0] == "check":
        check(args[1], args[2])
    else:
        die("wrong arguments, see the head of count.py")


main(sys.argv[1:])
