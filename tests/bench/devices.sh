# SPDX-License-Identifier: GPL-2.0-only
# Sets the arguments of tests/rig/boot for the devices of guests.sh: for each of
# three guests an NVMe that answers at once, and two network cards on a hub of
# their own, one of them for dom0.
# shellcheck shell=sh
set --
for n in 1 2 3; do
    d=$(echo $n | tr 123 abc) c=$(echo $n | tr 123 def)
    disk=driver=null-co,node-name=b$n,size=536870912,read-zeroes=on
    for arg in -blockdev "$disk" \
        -device "nvme,drive=b$n,serial=bench$n,addr=$d" \
        -netdev "hubport,hubid=$n,id=bg$n" \
        -device "e1000e,netdev=bg$n,addr=$c" \
        -netdev "hubport,hubid=$n,id=bd$n" \
        -device "e1000e,netdev=bd$n,addr=1$((n + 2))"; do
        set -- "$@" --qemu-arg "$arg"
    done
done
