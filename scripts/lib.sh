# SPDX-License-Identifier: GPL-2.0-only
# Shared by the scripts: where things are, how they speak, how they fail.
# Source it with:  . "$(dirname "$0")/lib.sh"
# shellcheck shell=sh

TOP=$(cd "$(dirname "$0")/.." && pwd)
while [ ! -e "$TOP/scripts/lib.sh" ]; do
    TOP=$(dirname "$TOP")
done
OUT=${OUT:-$TOP/out}
LOGS=$OUT/logs
# shellcheck disable=SC2034  # used by the scripts that source this
JOBS=${JOBS:-$(nproc)}
# Downloads and compiler results, kept over a `make clean`; may be removed.
CACHE=${VIOMMU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xen-viommu}

mkdir -p "$LOGS"

# Hooks are for this release of Xen and all after it.
# shellcheck disable=SC2034
XEN_OLDEST=4.20

# xen_release DIR: of that tree of Xen, by its own makefile, as 4.20
xen_release()
{
    awk '/^export XEN_VERSION/ { v = $NF } /^export XEN_SUBVERSION/ { s = $NF }
         END { print v "." s }' "$1/xen/Makefile"
}

say() { printf '%s\n' "==> $*"; }

die()
{
    printf '%s\n' "${0##*/}: $*" >&2
    exit 1
}

# need COMMAND PACKAGE: have COMMAND, installing PACKAGE where that is possible.
need()
{
    command -v "$1" >/dev/null 2>&1 && return 0
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
        die "$1 is missing: sudo apt-get install $2"
    say "installing $2 (it provides $1)"
    {
        apt-get install -y --no-install-recommends "$2" ||
            { apt-get update && apt-get install -y --no-install-recommends "$2"; }
    } >"$LOGS/apt-$2.log" 2>&1 ||
        die "cannot install $2, see $LOGS/apt-$2.log"
}

# one_run: one run at a time in a checkout, of what writes results: another one
# waits, and says for whom. What it starts itself does not wait for it.
one_run()
{
    [ -z "${VIOMMU_RUN:-}" ] || return 0
    export VIOMMU_RUN=$$
    exec 6>>"$OUT/run.lock"
    if ! flock -n 6; then
        say "another run is in this checkout ($(cat "$OUT/run.lock")); waiting for it"
        flock 6
    fi
    echo "process $$: $0" >"$OUT/run.lock"
}

# alone WHAT: one process at a time in a checkout makes WHAT
alone()
{
    exec 5>"$OUT/$1.lock"
    if ! flock -n 5; then
        say "another run makes $1; waiting for it"
        flock 5
    fi
}

need_root()
{
    [ "$(id -u)" = 0 ] ||
        die "this step makes a Debian tree and enters it with chroot: run it as root"
}

# run LOG WHAT COMMAND...: run a long step with its output in a log, and say
# what it is, where the log is, that it moves on, and how long it took. How far
# it has come is what the function in $run_far prints, of about $run_all; unless
# they are set, lines of the log.
run()
{
    run_log=$LOGS/$1; run_what=$2
    shift 2
    say "$run_what (log: ${run_log#"$TOP"/})"
    run_t0=$(date +%s)
    : >"$run_log"
    run_ticker $$ &
    run_tick=$!
    run_ok=y
    "$@" >"$run_log" 2>&1 || run_ok=n
    kill "$run_tick" 2>/dev/null || :
    wait "$run_tick" 2>/dev/null || :
    if [ $run_ok = n ]; then
        tail -n 25 "$run_log" >&2
        die "failed: $run_what; the whole log is ${run_log#"$TOP"/}"
    fi
    say "done in $(($(date +%s) - run_t0)) s: $run_what"
}

# It ends with its parent, too, however that ends.
run_ticker()
{
    while sleep 1 && kill -0 "$1" 2>/dev/null; do
        rt_s=$(($(date +%s) - run_t0))
        [ $((rt_s / 20)) -gt "${rt_last:-0}" ] || continue
        rt_last=$((rt_s / 20))
        rt_n=$(${run_far:-run_lines})
        if [ -z "${run_all:-}" ]; then
            rt_n="$rt_n lines of log"
        elif [ "$rt_n" -ge "$run_all" ]; then
            rt_n='nearly done'
        else
            rt_n="$((rt_n * 100 / run_all)) %"
        fi
        say "  $run_what: $rt_n after $rt_s s"
    done
}
run_lines() { wc -l <"$run_log"; }
