# SPDX-License-Identifier: GPL-2.0-only
# The guests of what measures on the rig; in dom0, after ts/lib.sh.
# shellcheck shell=sh
#
# There are three at once, each with an NVMe and a network card of its own
# (devices.sh): "none" without a unit, "pt" with iommu=pt, and "unit", whose
# settings are changed between its measurements.
#
# A configuration MODE-module-STRATEGY has the Linux module in "unit" take its
# devices, and the hypervisor remove at once; where there are such, MODULE is 1,
# and "unit" has an edu, too. They come last: a network card's driver keeps what
# it has mapped. MODE-deferred is Linux's own deferred flushing, allowed at run
# time, with a hypervisor that removes at once.
#
# Who sources it has a function  warm_up GUEST ADDRESS-OF-DOM0  for what is
# slow only the first time. WINDOW_US, of what lingers, is long where nothing but
# counts is wanted: on the rig all takes a hundred times longer than elsewhere.

guest_of()
{
    case $1 in
    none | none-busy) echo none ;;
    pt) echo pt ;;
    *) echo unit ;;
    esac
}

slot_of()
{
    case $1 in
    none) echo 1 ;;
    pt) echo 2 ;;
    unit) echo 3 ;;
    esac
}

# start GUEST
start()
{
    n=$(slot_of "$1")
    devices=0000:00:0$(echo "$n" | tr 123 abc).0
    devices=$devices+0000:00:0$(echo "$n" | tr 123 def).0
    case $1 in
    none) set -- "$1" viommu=0 args= ;;
    pt) set -- "$1" viommu=mode=trap args=iommu=pt ;;
    unit)
        set -- "$1" viommu=mode=trap args=
        [ -z "${MODULE:-}" ] || devices=$devices+edu ;;
    esac
    # Where the machine has too much to do, libxl may give up waiting.
    tries=1
    until /ts/ts-guest-start name="$1" kernel=bench devices="$devices" "$2" \
        "$3" >"$TS_DIR/start-$1.log" 2>&1; do
        [ $tries -lt 3 ] || {
            tail -n 30 "$TS_DIR/start-$1.log"
            fail "guest $1 does not start"
        }
        xl destroy "$1" 2>/dev/null || true
        tries=$((tries + 1))
    done
    nic=$(basename /sys/bus/pci/devices/0000:00:1$((n + 2)).0/net/*)
    ip addr replace "10.7.$n.1/24" dev "$nic"
    ip link set "$nic" up
    guest_run "$1" \
        "ip addr replace 10.7.$n.2/24 dev eth0; ip link set eth0 up"
    i=0
    until busybox ping -c 1 -W 1 "10.7.$n.2" >/dev/null 2>&1; do
        i=$((i + 1))
        [ $i -lt 20 ] || fail "guest $1 does not answer on the network"
    done
    warm_up "$1" "10.7.$n.1"
    guest_run "$1" "cat /sys/devices/system/clocksource/*/current*" |
        grep tsc || fail "guest $1 has no clock of its own"
}

# Of "unit", by what they are good for: an NVMe, a network card, and an edu.
module_device()
{
    case $1 in
    nvme*) echo 0000:00:10.0 ;;
    net*) echo 0000:00:11.0 ;;
    pairs) echo 0000:00:12.0 ;;
    esac
}

# linux_type DMA|DMA-FQ: strict or deferred; only DMA-FQ can be had without
# taking the devices from their drivers
linux_type()
{
    for d in nvme:nvme net:e1000e pairs:edu_dma; do
        dev=$(module_device "${d%:*}")
        driver=/sys/bus/pci/drivers/${d#*:} way="echo $1 >iommu_group/type"
        [ "$1" = DMA-FQ ] ||
            way="echo $dev >$driver/unbind && $way && echo $dev >$driver/bind"
        # There may be no edu.
        guest_run unit "cd /sys/bus/pci/devices/$dev 2>/dev/null || exit 0; [ \$(cat iommu_group/type) = $1 ] && exit; $way; [ \$(cat iommu_group/type) = $1 ]" ||
            fail "the guest cannot have $1 for $dev"
    done
    guest_run unit "until [ -d /sys/class/net/eth0 ] && [ -b /dev/nvme0n1 ]; do sleep 0.1; done; ip addr replace 10.7.3.2/24 dev eth0; ip link set eth0 up; until ping -c 1 -W 1 10.7.3.1 >/dev/null; do sleep 0.1; done" ||
        fail "the guest's devices do not come back"
}

# strategy WHICH: of the module, which takes the devices the first time
strategy()
{
    take=
    for d in nvme net pairs; do
        d=$(module_device $d)
        # The module's may be ten times as long as the hypervisor's.
        take=$take,$d=$1/$((${WINDOW_US:-1000} * 10))
    done
    guest_run unit "cd /sys/kernel/dma_strategy 2>/dev/null || insmod /viommu/dma_strategy.ko devices=${take#,}" ||
        fail "the module is not loaded"
    guest_run unit "cd /sys/kernel/dma_strategy; for d in 0*; do echo $1 >\$d/strategy && [ \$(cat \$d/state) = taken ] || exit 1; done" ||
        fail "the module does not take $1"
}

# switch CONFIG: of the guest "unit". A sidecore runs only where it is measured;
# on the rig it can be descheduled for longer than it ever is on a processor of
# its own, so nobody gives up waiting for it.
switch()
{
    case $1 in
    none | pt) set -- trap-strict ;;
    none-busy) set -- sidecore-strict ;;
    esac
    [ "$1" != "$(cat "$TS_DIR/switched" 2>/dev/null)" ] || return 0
    case $1 in
    *-module-* | *-deferred) teardown=strict ;;
    *) teardown=${1#*-} ;;
    esac
    xl viommu-set unit mode="${1%%-*}" teardown="$teardown" \
        ${WINDOW_US:+window_us="$WINDOW_US"} \
        fallback_us=1000000 idle_us=60000000 || fail "cannot set $1"
    case $1 in
    *-module-*)
        linux_type DMA
        strategy "${1##*-}" ;;
    *-deferred) linux_type DMA-FQ ;;
    esac
    echo "$1" >"$TS_DIR/switched"
    # A command has to come before the sidecore takes the guest up.
    case $1 in
    sidecore-*) busybox ping -c 2 10.7.3.2 >/dev/null || fail "no answer" ;;
    esac
}
