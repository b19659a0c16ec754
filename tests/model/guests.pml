/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guests.pml: the guest programs that handshake.pml is checked with, and the
 * configurations (QUEUE, REGISTER, ...), small ones, of which each has two.
 * Drivers as the specification wants them: they wait for each command. What a
 * configuration does not need is left out, since it would be compiled.
 */
#include "handshake.pml"

#if defined(QUEUE) || defined(REGISTER) || defined(START) || defined(BUSY) \
    || defined(ERROR) || defined(ROOTS)
/* Waits for the status that a wait descriptor writes, or for the queue head. */
proctype queue_user(bit v; byte n; bool by_head)
{
    byte x, mine;

    do
    :: n > 0 ->
        atomic { !queue_lock -> queue_lock = true; queued++; mine = queued };
        store(IQT, mine);
        atomic { landed(v) -> queue_lock = false };
        do
        :: by_head && x < mine -> load(IQH, x)
        :: !by_head && status < mine && bad != NONE ->
            load(FSTS, x);
            if
            :: x & IQE -> bad = NONE; store(FSTS, IQE)
            :: else
            fi
        :: (by_head -> x : status) >= mine -> break
        od;
        assert(effects >= mine); /* effect, of a descriptor */
        d_step { x = 0; mine = 0; n-- }
    :: else -> break
    od;
    finished++
}
#endif

#if defined(REGISTER) || defined(ERROR) || defined(END)
proctype register_user(bit v; byte last)
{
    byte x, n;

    do
    :: n < last ->
        n++;
        store(ARG, n);
        store(CMD, IVT);
        x = IVT;
        do
        :: x == IVT -> load(CMD, x)
        :: else -> break
        od;
        assert(flushed == n) /* effect, of a register command */
    :: else -> break
    od;
    finished++
}
#endif

#ifdef PLAIN
proctype plain_user(bit v)
{
    byte x, n;

    do
    :: n < 3 ->
        n++;
        store(ARG, n & 1);
        load(ARG, x);
        assert(x == (n & 1)) /* order */
    :: else -> break
    od;
    finished++
}
#endif

#if defined(ROOT) || defined(ROOTS)
/* Each time all is invalidated after it, and nobody else does that before. */
proctype root_setter(bit v)
{
    byte x, n;

    do
    :: n < 2 ->
        n++;
        store(ARG, n);
        store(GCMD, SRTP | QIE);
        do
        :: !(x & SRTP) -> load(GSTS, x)
        :: else -> break
        od;
        assert(root == n); /* effect, of SRTP */
        store(CMD, IVT);
        x = IVT;
        do
        :: x == IVT -> load(CMD, x)
        :: else -> break
        od;
        assert(flushed == n); /* effect, of a register command */
        x = 0
    :: else -> break
    od;
    finished++
}
#endif

#ifdef START
/* The queue was in use, is off, and is started anew; old faults are cleared. */
proctype restarter(bit v)
{
    byte x;

    store(FSTS, FAULT);
    store(IQT, 0);
    store(GCMD, QIE);
    do
    :: !(x & QIE) -> load(GSTS, x)
    :: else -> break
    od;
    run queue_user(v, 1, true)
}
#endif

#if defined(FAULTY) || defined(BUSY)
proctype fault_handler(bit v; byte faults)
{
    byte x, handled;

    do
    :: handled < faults ->
        event;
        event = false;
        load(FSTS, x);
        if
        :: x & FAULT ->
            /* Some drivers write it again when they are through. */
            store(FSTS, FAULT);
            store(FSTS, FAULT);
            landed(v);
            handled = raised
        :: else
        fi;
        x = 0
    :: else -> break
    od;
    finished++
}
#endif

/* ---- Configurations. ---- */

#define GUESTS 2

init {
    atomic {
        queue_enabled = true;
        regs[GSTS] = QIE;
        run memory();
        run sidecore();
        run viommu_work();
#if defined(QUEUE)
        late = false;
        run queue_user(0, 1, true);
        run queue_user(1, 1, false)
#elif defined(REGISTER)
        run register_user(0, 2);
        run queue_user(1, 1, false)
#elif defined(PLAIN)
        late = false;
        run plain_user(0);
        finished++
#elif defined(ROOT)
        run root_setter(0);
        finished++
#elif defined(ROOTS)
        late = false;
        run root_setter(0);
        run queue_user(1, 1, false)
#elif defined(START)
        late = false;
        queue_enabled = false;
        regs[GSTS] = 0;
        regs[IQT] = 1;
        regs[IQH] = 1;
        run restarter(0);
        finished++
#elif defined(FAULTY)
        late = false;
        run fault_handler(1, 2);
        run device(2);
        finished++
#elif defined(BUSY)
        run queue_user(0, 1, false);
        run fault_handler(1, 1);
        run device(1)
#elif defined(END)
        ends = 1;
        run register_user(0, 2);
        finished++
#elif defined(ERROR)
        bad = 0;
        run queue_user(0, 1, false);
        run register_user(1, 1)
#endif
    }
}

/* Nobody waits for ever, not even if the sidecore stops: no command is lost. */
ltl progress { <> (finished == GUESTS) }
