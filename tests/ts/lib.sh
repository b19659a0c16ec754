# SPDX-License-Identifier: GPL-2.0-only
# What the test steps share. They run in the rig's dom0, one after the other.
# shellcheck shell=sh
#
# Exit statuses of a step: 0 passed, 1 failed, 77 skipped, 124 time ran out.
#
# No verdict depends on how fast the machine is. Who waits for something gives
# up when nothing has moved for TS_PATIENCE seconds, many times what dom0's own
# boot took, and says so by timed_out(), which is not a failure of what is tested.
#
# TS_DIR     where the job's logs, figures and counters go
# TS_VIOMMU  "0": guests get no viommu, whatever the step says, and steps that
#            need one are skipped (to try the rig on a Xen without it)

TS_DIR=${TS_DIR:-/var/log/ts/manual}
TS_STATE=${TS_STATE:-/run/ts}
TS_XEN_LOG=${TS_XEN_LOG:-/run/ts-xen.log}
TS_VIOMMU=${TS_VIOMMU:-}
# tests/rig/dom0init writes it.
TS_PATIENCE=${TS_PATIENCE:-$(cat /rig/patience 2>/dev/null || echo 600)}
mkdir -p "$TS_DIR" "$TS_STATE"

say() { printf '%s\n' "$*"; }
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }
skip() { printf 'SKIP: %s\n' "$*"; exit 77; }
# It may be called in a subshell, of which the step only sees that it failed.
timed_out()
{
    printf 'TIMEOUT: %s\n' "$*" | tee "$TS_STATE/timed-out" >&2
    exit 124
}

uptime_s() { cut -d. -f1 "${TS_UPTIME:-/proc/uptime}"; }

# turn SINCE WHAT [SECONDS]: a turn of a loop that has waited for WHAT since
# that uptime: sleeps for a second, or so long
turn()
{
    [ $(($(uptime_s) - $1)) -lt "$TS_PATIENCE" ] ||
        timed_out "waited $TS_PATIENCE s for this: $2"
    sleep "${3:-1}"
}

# ts_args "name=default ..." "$@": sets $name for each name=value; a name that
# is not in the list is an error, one without default must be given.
ts_args()
{
    ta_known=" $1 "
    shift
    for ta_pair in $ta_known; do
        case $ta_pair in
        *=*) eval "${ta_pair%%=*}=\${ta_pair#*=}" ;;
        *) eval "$ta_pair=" ;;
        esac
    done
    for ta_pair in "$@"; do
        case $ta_known in
        *" ${ta_pair%%=*}="* | *" ${ta_pair%%=*} "*) ;;
        *) fail "unknown argument $ta_pair; it takes:$ta_known" ;;
        esac
        eval "${ta_pair%%=*}=\${ta_pair#*=}"
    done
    for ta_pair in $ta_known; do
        case $ta_pair in
        *=*) ;;
        *) eval "[ -n \"\$$ta_pair\" ]" || fail "argument $ta_pair= is missing" ;;
        esac
    done
}

# figure NAME VALUE: for the job's result.json
figure()
{
    say "figure $1 = $2"
    echo "$1 $2" >>"$TS_DIR/figures"
}

# note TEXT: is shown while the jobs run, not only in the step's log
note() { say "note: $1"; }

# ratio A B: A / B with three digits
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f\n", b ? a / b : 0 }'; }

# holds EXPRESSION WHAT: a comparison of numbers, said and checked
holds()
{
    if awk "BEGIN { exit !($1) }"; then
        say "ok: $2 ($1)"
    else
        fail "$2: $1 does not hold"
    fi
}

# ---- counters ---------------------------------------------------------------

# has_viommu GUEST
has_viommu() { [ "$(cat "$TS_STATE/$1/viommu")" != 0 ]; }

# need_viommu GUEST: the step is about nothing else
need_viommu() { has_viommu "$1" || skip "the guest has no viommu"; }

# counters GUEST FILE: all counters, one "name value" a line
counters()
{
    xl viommu-info -j "$1" >"$2.json" || fail "xl viommu-info -j $1 fails"
    tr -d '\n' <"$2.json" | sed 's/.*"counters":{//; s/}.*//; s/,/\n/g; s/"//g; s/:/ /g; s/$/\n/' >"$2"
    [ -s "$2" ] || { cat "$2.json"; fail "xl viommu-info -j $1: no counters"; }
}

# counter FILE NAME
counter()
{
    while read -r co_name co_value; do
        [ "$co_name" != "$2" ] || { echo "$co_value"; return 0; }
    done <"$1"
    fail "xl viommu-info has no counter $2" >&2
}

# delta BEFORE AFTER NAME: how far a counter went
delta()
{
    de_a=$(counter "$1" "$3")
    de_b=$(counter "$2" "$3")
    echo $((de_b - de_a))
}

# say_deltas BEFORE AFTER
say_deltas()
{
    say "counters of this stretch:"
    awk 'NR == FNR { before[$1] = $2; next }
         $2 != before[$1] { printf "  %-18s %10d  (now %d)\n", $1, $2 - before[$1], $2 }' "$1" "$2"
}

# ---- host -------------------------------------------------------------------

# Xen's ring of messages is emptied into a file, so that none is lost to those
# that come after it and reading stays quick.
xen_log() { xl dmesg -c >>"$TS_XEN_LOG"; }

# Free memory of the host in KiB, to the page.
free_kib()
{
    xl debug-keys m
    xen_log
    sed -n 's/.*Dom heap: *\([0-9]*\)kB free.*/\1/p' "$TS_XEN_LOG" | tail -n 1
}

# memory_mib GUEST: what the domain has now
memory_mib() { xl list "$1" | awk 'NR > 1 { print $(NF - 3) }'; }

# note_free KIB [NAME]: so much is free now. It goes to the file free, a line
# "SECONDS KIB NAME" each; with a name it is a figure, too.
note_free()
{
    echo "$(uptime_s) $1${2:+ $2}" >>"$TS_DIR/free"
    [ -z "${2:-}" ] || figure "free_mib_$2" $(($1 / 1024))
}

# settled_kib: what is free when Xen has freed what it frees a little later
settled_kib()
{
    sk_most=0
    for sk_i in 1 2 3 4; do
        sk_now=$(free_kib)
        [ "$sk_now" -le "$sk_most" ] || sk_most=$sk_now
        [ "$sk_i" = 4 ] || sleep 2
    done
    echo "$sk_most"
}

# wait_free KIB SLACK: waits until that much is free again, but for SLACK;
# $wf_now is what is free then. It is lost if no more comes back for a tenth of
# the patience.
wait_free()
{
    wf_last=0
    while wf_now=$(free_kib); [ "$wf_now" -lt $(($1 - $2)) ]; do
        [ "$wf_now" = "$wf_last" ] || wf_since=$(uptime_s)
        [ $(($(uptime_s) - wf_since)) -lt $((TS_PATIENCE / 10)) ] ||
            fail "host memory: $1 KiB were free before, $wf_now KiB are now (bound: $2 KiB)"
        wf_last=$wf_now
        sleep 1
    done
    say "host memory: $1 KiB were free before, $wf_now KiB are now"
}

# DMA faults that the host's own unit has recorded, as Xen printed them.
host_faults()
{
    xen_log
    grep -c 'VT-D.*fault addr' "$TS_XEN_LOG" || true
}

# guest_gone NAME DOMID: no trace of the domain, not as a zombie either
guest_gone()
{
    gg_since=$(uptime_s)
    while xl list | awk -v id="$2" 'NR > 1 && $(NF - 4) == id' | grep -q .; do
        if [ $(($(uptime_s) - gg_since)) -ge "$TS_PATIENCE" ]; then
            xl list
            fail "domain $2 ($1) is still there after $TS_PATIENCE s"
        fi
        sleep 0.5
    done
    say "domain $2 ($1) is gone"
}

# ---- guests -----------------------------------------------------------------

# device_bdf DEVICE: where the rig has it; see tests/rig/boot
device_bdf()
{
    case $1 in
    *:*) echo "$1" ;;
    nvme) echo 0000:00:03.0 ;;
    edu) echo 0000:00:04.0 ;;
    e1000e) echo 0000:00:05.0 ;;
    nvme1) echo 0000:00:07.0 ;;
    edu1) echo 0000:00:08.0 ;;
    *) fail "the rig has no device $1" >&2 ;;
    esac
}

# guest_bdf GUEST DEVICE: where the guest sees it
guest_bdf()
{
    gb=$(sed -n "s/^$2 //p" "$TS_STATE/$1/devices")
    [ -n "$gb" ] || fail "guest $1 has no $2" >&2
    echo "$gb"
}

guest_log() { echo "$TS_STATE/$1/console"; }

# guest_console GUEST: from here on what its device models write to its console
# goes to the rig's guests.log, too, for when dom0 dies; and its input stays open.
guest_console()
{
    setsid sh -c 'busybox tail -s 1 -c +1 -f "$1/console" | sed -u "s/^/$2: /" >/run/guests' \
        console "$TS_STATE/$1" "$1" <>"$TS_STATE/$1/input" >/dev/null 2>&1 &
    echo $! >"$TS_STATE/$1/logger"
}

# guest_create GUEST CONFIG LOG: libxl gives a device model ten seconds for an
# answer, however slow the machine is. Who fails by that is created again.
guest_create()
{
    for gc_try in 1 2 3; do
        ! xl create "$2" >"$3" 2>&1 || return 0
        cat "$3"
        tail -n 20 "/var/log/xen/qemu-dm-$1.log" 2>/dev/null || true
        # ERROR_TIMEDOUT, as libxl says it.
        grep -qE 'rc[ =]-9|timed out' "$3" || fail "xl create fails"
        say "try $gc_try: the toolstack waited in vain for the device model"
        xl destroy "$1" >/dev/null 2>&1 || true
    done
    timed_out "the toolstack waited in vain for the device model"
}

# guest_unlog GUEST: the end of that
guest_unlog()
{
    [ ! -s "$TS_STATE/$1/logger" ] || kill -s TERM -- "-$(cat "$TS_STATE/$1/logger")" 2>/dev/null || true
}

# guest_alive GUEST: is there such a domain, which has neither crashed nor ended?
# The file "panics" says how many panics of its kernel a step has asked for.
guest_alive()
{
    [ -s "$TS_STATE/$1/domid" ] || fail "there is no guest $1"
    [ "$(xl domid "$1" 2>/dev/null)" = "$(cat "$TS_STATE/$1/domid")" ] || {
        tail -n 30 "$(guest_log "$1")"
        fail "domain $1 is no more; its last words are above"
    }
    if [ "$(grep -c 'Kernel panic' "$(guest_log "$1")")" -gt \
         "$(cat "$TS_STATE/$1/panics")" ]; then
        tail -n 30 "$(guest_log "$1")"
        ! interrupted_twice "$(guest_log "$1")" ||
            say "the emulated machine delivered an interrupt twice; see docs/developing.md"
        fail "the kernel of guest $1 panicked"
    fi
}

# interrupted_twice FILE: a kernel's panic that no processor causes, but QEMU's
# VMRUN: interrupts are off, and one came on the first instruction of an
# interrupt's entry, before GS is the kernel's.
interrupted_twice()
{
    tr -d '\r' <"$1" | awk '
        /RIP: 0010:irq_entries_start\+/ { at = NR }
        at && NR <= at + 2 && /EFLAGS: 000100[0-9a-f][0-9a-f]$/ { found = 1 }
        /ENTRY_TRAMPOLINE/ { entry = 1 }
        END { exit !(found && entry) }'
}

# guest_wait GUEST PATTERN [FROM [BEFORE]]: until a line of the guest's console,
# after byte FROM, matches, which is $gw_line then. Now and then it looks whether
# the guest is alive. BEFORE: a file for the lines before it.
guest_wait()
{
    gw_said=-1
    until gw_line=$(await "${TS_LOOK:-15}" "$TS_STATE/$1/console" "${3:-0}" "$2" ${4:+"$4"}); do
        guest_alive "$1"
        gw_now=$(stat -c %s "$(guest_log "$1")")
        if [ "$gw_now" != "$gw_said" ]; then
            gw_said=$gw_now gw_since=$(uptime_s)
        elif [ $(($(uptime_s) - gw_since)) -ge "$TS_PATIENCE" ]; then
            tail -n 30 "$(guest_log "$1")"
            timed_out "guest $1 was to say \"$2\" and has said nothing for $TS_PATIENCE s; its last words are above"
        fi
    done
}

# guest_type GUEST TEXT: is typed at its console
guest_type()
{
    [ -s "$TS_STATE/$1/domid" ] || fail "there is no guest $1"
    # Open for both, nothing waits for a reader.
    printf %s "$2" 1<>"$TS_STATE/$1/input"
}

# guest_key GUEST KEY PATTERN: types a key, and waits for a line
guest_key()
{
    gk_at=$(stat -c %s "$(guest_log "$1")")
    guest_type "$1" "$2"
    guest_wait "$1" "$3" "$gk_at"
}

# guest_send GUEST COMMAND: gives a command to the guest, does not wait.
# Sets $sent_id and $sent_at for guest_result.
guest_send()
{
    [ -s "$TS_STATE/$1/domid" ] || fail "there is no guest $1"
    read -r sent_id <"$TS_STATE/$1/seq"
    sent_id=$((sent_id + 1))
    echo $sent_id >"$TS_STATE/$1/seq"
    sent_at=$(stat -c %s "$TS_STATE/$1/console")
    guest_type "$1" "$sent_id $2
"
}

# guest_result GUEST ID FROM: waits for it; prints what the command printed and
# returns its status.
guest_result()
{
    guest_wait "$1" "^@@end $2 " "$3" "$TS_STATE/$1/said"
    cat "$TS_STATE/$1/said"
    return "${gw_line##* }"
}

# guest_run GUEST COMMAND
guest_run()
{
    guest_send "$1" "$2"
    guest_result "$1" "$sent_id" "$sent_at"
}

# guest_start GUEST COMMAND: begins it; guest_finish GUEST: waits for it, prints
# what it printed and returns its status. One at a time.
guest_start()
{
    guest_run "$1" "rm -f /tmp/job.*; (($2); echo \$? >/tmp/job.status) >/tmp/job.out 2>&1 & true"
}
guest_finish()
{
    # shellcheck disable=SC2016  # the guest expands it
    guest_run "$1" 'until [ -e /tmp/job.status ]; do sleep 0.2; done; cat /tmp/job.out; exit $(cat /tmp/job.status)'
}

# guest_disk GUEST DEVICE: the guest's name of an NVMe's disk. Linux numbers
# them as it finds them, not by their slots.
guest_disk()
{
    guest_run "$1" "cd /sys/bus/pci/devices/$(guest_bdf "$1" "$2")/nvme/nvme* && echo nvme*n1 | sed s:^:/dev/:" ||
        fail "guest $1 has no disk of $2" >&2
}

# guest_busy GUEST [DISK]: from here on it reads without end
guest_busy()
{
    gb_disk=${2:-/dev/nvme0n1}
    guest_run "$1" "blob write $gb_disk 4 3 64; (while blob read $gb_disk 4 3 64; do :; done >/dev/null 2>&1) & true"
    has_viommu "$1" || return 0
    counters "$1" "$TS_DIR/busy.0"
    sleep 1
    counters "$1" "$TS_DIR/busy.1"
    holds "$(delta "$TS_DIR/busy.0" "$TS_DIR/busy.1" qi_iotlb) > 0" "DMA is going on"
    holds "$(counter "$TS_DIR/busy.1" pages_pinned) > 0" "pages are pinned"
}

# guest_destroy GUEST: and check that nothing is left of it
guest_destroy()
{
    gd_domid=$(cat "$TS_STATE/$1/domid")
    xl destroy "$1" || fail "xl destroy $1 fails"
    guest_unlog "$1"
    guest_gone "$1" "$gd_domid"
    rm "$TS_STATE/$1/domid"
    cp "$(guest_log "$1")" "$TS_DIR/guest-$1-$gd_domid.log"
}
