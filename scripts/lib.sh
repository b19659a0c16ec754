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

need_root()
{
    [ "$(id -u)" = 0 ] ||
        die "this step makes a Debian tree and enters it with chroot: run it as root"
}

# run LOG WHAT COMMAND...: run a long step with its output in a log, and say
# what it is, where the log is, and how long it took.
run()
{
    run_log=$LOGS/$1; run_what=$2
    shift 2
    say "$run_what (log: ${run_log#"$TOP"/})"
    run_t0=$(date +%s)
    if ! "$@" >"$run_log" 2>&1; then
        tail -n 25 "$run_log" >&2
        die "failed: $run_what; the whole log is ${run_log#"$TOP"/}"
    fi
    say "  done in $(($(date +%s) - run_t0)) s"
}
