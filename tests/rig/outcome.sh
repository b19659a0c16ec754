# SPDX-License-Identifier: GPL-2.0-only
# How a boot of the rig ends: watched while it runs, judged afterwards. Sourced
# by tests/rig/boot, and by tests/rig/check, which has no rig.
# shellcheck shell=sh disable=SC2034
#
# In DIR there are console.log, script.log, guests.log and pulse, which dom0
# writes to every ten seconds while it is alive, and "end" when all results are
# on its last disk, out.tar.

# The words with which Xen and a dom0 kernel die.
DEATH='Panic on CPU|FATAL TRAP|Xen BUG at|Assertion .* failed|Kernel panic - not syncing'

# moved DIR: changes whenever the rig has said anything, or its heart beats
moved() { (cd "$1" && stat -c %s console.log script.log guests.log pulse); }

# watch_rig PID DIR PATIENCE: until QEMU has ended, or has no more to say, or
# nothing has moved for PATIENCE seconds. Sets $watched: empty; or what is wrong,
# and $watched_status. Leaves it to the caller to end QEMU.
watch_rig()
{
    watched='' watched_status=''
    wr_last='' wr_since=$(date +%s)
    while kill -0 "$1" 2>/dev/null; do
        sleep "${WATCH_EVERY:-1}"
        if grep -q '^end' "$2/pulse"; then
            return 0
        fi
        if grep -qE "$DEATH" "$2/console.log"; then
            # It has more to say, and may have ended before.
            sleep "${WATCH_GRACE:-5}"
            ! grep -q '^end' "$2/pulse" || return 0
            watched="Xen or dom0 crashed: $(grep -aE -m 1 "$DEATH" "$2/console.log" | tr -d '\r')"
            watched_status=125
            return 0
        fi
        wr_now=$(moved "$2")
        if [ "$wr_now" != "$wr_last" ]; then
            wr_last=$wr_now wr_since=$(date +%s)
        elif [ $(($(date +%s) - wr_since)) -ge "$3" ]; then
            watched="nothing has moved for $3 s"
            watched_status=124
            return 0
        fi
    done
}

# take_answer TAR DIR: unpacks what dom0 wrote into DIR/files, and prints the
# script's status. Its file is the last in the archive, so that what dom0 did not
# come to write in full has none. Then it prints nothing.
take_answer()
{
    rm -rf "$2/guest" "$2/xen" "$2/files"
    mkdir -p "$2/files"
    tar -xf "$1" -C "$2/files" 2>/dev/null && [ -s "$2/files/rig/status" ] || return 0
    cat "$2/files/rig/status"
    mv "$2/files/var/log/guest" "$2/guest"
    mv "$2/files/var/log/xen" "$2/xen"
    rm -rf "$2/files/rig"
}

# judge TAR DIR: after watch_rig. What the script wrote counts, if it ended,
# whatever the rig did then. Returns the status of the boot.
judge()
{
    ju_status=$(take_answer "$1" "$2")
    if [ -n "$ju_status" ]; then
        [ -z "$watched" ] || say "after the script's end: $watched"
        say "the script ended with status $ju_status"
        return "$ju_status"
    fi
    [ -n "$watched" ] ||
        watched="the rig ended without the script's status: $(tail -n 1 "$2/qemu.log")"
    echo "boot: $watched" >&2
    echo "boot: last lines of ${2#"$TOP"/}/console.log:" >&2
    tail -n 12 "$2/console.log" | tr -d '\r' >&2
    return "${watched_status:-125}"
}
