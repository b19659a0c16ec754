/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sleep.pml: how a sidecore goes to sleep, and how it is woken: the end of
 * sidecore_poll(), and sidecore_knock(), in sidecore.c.
 *
 * While a page traps, all commands are done by the trap, so nothing is lost if
 * the sidecore sleeps; but who knocked is to be looked at. Two guests knock, a
 * flag each (sc.wanted); the others are wanted and asleep of the sidecore.
 * Stores of each CPU reach the others later, in order (x86-TSO); setting and
 * clearing what blocks a vCPU is locked, and so immediate. So is sync_lock,
 * which a timer of a guest takes now and then: it knocks at no time. Guests are
 * alike, so one with a timer is enough to find mistakes; SLEEPS has two.
 */
#define WANTED 2
#define ASLEEP 3
bool flag[4];
bool blocked;                /* the sidecore's vCPU */
bool held[2];                /* a guest's sync_lock, by its timer */

byte finished;               /* guests that were looked at */

chan buffer[3] = [2] of { byte, bool };

#define write(flag, value) buffer[c]!flag, value
#define smp_mb() empty(buffer[c])

proctype stores(byte c)
{
    byte f;
    bool value;

end:
    do
    :: atomic { buffer[c]?f, value -> flag[f] = value; f = 0; value = 0 }
    od
}

/* A guest that gives trapped commands. */
proctype sidecore_knock(byte c)
{
    byte n;

    do
    :: n < 2 ->
        write(c, true);
        write(WANTED, true);
        smp_mb();
        if
        :: atomic { flag[ASLEEP] -> flag[ASLEEP] = false; blocked = false }
        :: !flag[ASLEEP]
        fi;
        n++
    :: else -> break
    od;
    !flag[c];                /* it was looked at */
    finished++
}

proctype timer(byte g)
{
    byte n;

    do
    :: n < 2 -> held[g] = true; held[g] = false; n++
    :: else -> break
    od
}

proctype sidecore_poll(byte c)
{
    bool soon;

    do
    :: write(ASLEEP, false);
poll:
       write(WANTED, false);
       smp_mb();             /* taking the sidecore's lock is one */
       soon = false;
       if                    /* the page becomes memory, and is idle again */
       :: atomic { flag[0] && !held[0] -> write(0, false) }
       :: atomic { flag[0] && held[0] -> soon = true }
       :: !flag[0]
       fi;
       if
       :: atomic { flag[1] && !held[1] -> write(1, false) }
       :: atomic { flag[1] && held[1] -> soon = true }
       :: !flag[1]
       fi;
       if
       :: soon -> goto poll
       :: else
       fi;
       blocked = true;       /* first, or a wake-up would be before it */
       write(ASLEEP, true);
       smp_mb();
       if
       :: flag[WANTED] -> blocked = false
       :: !flag[WANTED]
       fi;
       !blocked
    od
}

init {
    atomic {
        run stores(0);
        run stores(1);
        run stores(2);
        run sidecore_knock(0);
        run sidecore_knock(1);
        run timer(0);
#ifdef SLEEPS
        run timer(1);
#endif
        run sidecore_poll(2)
    }
}

ltl progress { <> (finished == 2) }
