/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handshake.pml: who sees what, when, between a guest's vCPUs, the register
 * page, the sidecore and the fallback: xen/drivers/viommu/{inbox,sidecore}.c,
 * whose names are used here. tests/model/run checks it with spin, with each of
 * the guests in guests.pml, and with mistakes seeded. Sleep is in sleep.pml.
 *
 * What is modelled, what is not, and why the properties suffice:
 * docs/designs/sidecore-model.md. What must be known to read on:
 * - The page has one dword for each kind of register. A vCPU that has a cached
 *   translation goes on writing it until the flush; an access that finds none
 *   traps, whenever its handler then runs.
 * - A vCPU's store waits in a buffer, of one entry, while its loads pass it;
 *   exits and the flush drain it (x86-TSO).
 * - A visit takes up at most one command, and may leave it half done.
 * - A trapped access is one step under reg_lock. It takes all that is in the
 *   page, so that the order in which it does cannot matter. Where that matters,
 *   in inbox_absorb() of the one who runs commands, there are steps.
 * - Idle and fallback can be at any moment. A fallback that must be for
 *   progress is only that of a sidecore that has stopped.
 */

/* One dword of the page each. */
#define IQT    0
#define IQH    1
#define GCMD   2
#define GSTS   3
#define ARG    4   /* a plain register, set up before a command: RTADDR, IVA */
#define CMD    5   /* the dword that starts a command: IOTLB, CCMD */
#define FSTS   6
#define NREGS  7

#define POISON 7   /* in GCMD: what no guest writes */
#define QIE    1   /* GCMD, GSTS */
#define SRTP   2   /* GCMD, GSTS (RTPS) */
#define IVT    1   /* CMD: to be done */
#define FAULT  1   /* FSTS: cleared by writing 1 */
#define IQE    2   /* FSTS: likewise; the queue stands still */

#define NONE   15

/* ---- State. ---- */

/* The page, and each vCPU's way to it. */
byte page[NREGS];
bool mapped;
bool tlb[2];                 /* the vCPU has a translation of it cached */
bool sb_full[2];             /* a store that others do not see yet */
byte sb_reg[2], sb_val[2];
#define landed(v) (!sb_full[v])
#define forwards(v, r) (sb_full[v] && sb_reg[v] == r)

/* struct viommu */
bool sync_locked, reg_locked;
byte sync_waiters;           /* a ticket lock: trylock fails if there are any */
byte regs[NREGS], shown[NREGS];
bool live, work, root_shows, root_seen;
bool gcmd_pending;
byte gcmd;
byte cmd = NONE, cmd_arg;    /* cmd: GCMD, CMD or IQT, where it came from */
bool queue_enabled;
bool more;
bool stopped;                /* the sidecore is not coming any more */
bool late = true;            /* it was taken for that once, and is not */
bool watched;                /* the timer is set */
byte ends;                   /* how often the sidecore's domain may still end */
bool deferred;               /* the vCPUs have to call viommu_work() */
bool trapped[2];             /* so has this one, before it runs on */
bool served[2];              /* that is under way */
bool f_gcmd, f_cmd;          /* inbox_absorb(): found written */
bool left;                   /* inbox_leave(): there is work */

/* The guest's memory, and what its devices see. */
bool queue_lock;
byte queued;                 /* descriptors that are in the queue */
byte bad = NONE;             /* which of them is nonsense */
byte status;                 /* wait descriptors: status written by them */
byte effects;                /* invalidations of the queue that took effect */
byte root, flushed;          /* ARG of the last SRTP, IVT that took effect */
bool event;                  /* MSI */
byte raised;                 /* faults recorded */

byte finished;               /* guest programs that are through */

byte i;                      /* counts within one step */

/* ---- Locks. ---- */

/* In an atomic sequence. */
inline lock_sync()
{
    if
    :: !sync_locked && !sync_waiters
    :: else -> sync_waiters++; !sync_locked; sync_waiters--
    fi;
    sync_locked = true
}

#define trylock_sync() (!sync_locked && !sync_waiters)

/* ---- regs.c: under reg_lock, in one step. ---- */

inline regs_apply(r, x)
{
    if
    :: r == IQT ->
        assert(x >= regs[IQT] || !queue_enabled); /* order */
        regs[IQT] = x
    :: r == CMD || r == ARG -> regs[r] = x
    :: r == GCMD ->
        gcmd = x;
        gcmd_pending = true;
        if
        :: x & SRTP -> regs[GSTS] = regs[GSTS] & ~SRTP
        :: else
        fi
    :: r == FSTS -> regs[FSTS] = regs[FSTS] & ~x
    fi
}

#define leaves_work(r, x) \
    (r == IQT || r == GCMD || (r == CMD && x == IVT) || \
     (r == FSTS && (x & IQE)))

/* ---- inbox.c ---- */

/* One register. The repair of FSTS is part of it. */
inline take(r)
{
    if
    :: page[r] != shown[r] ->
        work = work || leaves_work(r, page[r]);
        regs_apply(r, page[r]);
        if
        :: r == GCMD || r == FSTS -> page[r] = shown[r]
        :: else -> shown[r] = page[r]
        fi
    :: else
    fi
}

/* All of it, where nobody can write in between, or may as well before it. */
inline take_all()
{
    d_step {
        i = 0;
        do
        :: i < NREGS -> take(i); i++
        :: else -> break
        od
    }
}

/* What regs has, as the page shows it. */
#define visible(r) \
    (r == GCMD -> POISON : (r == GSTS -> regs[r] & ~SRTP : regs[r]))

inline show_some(which)
{
    d_step {
        i = 0;
        do
        :: i < NREGS ->
            if
            :: which && shown[i] != visible(i) ->
                shown[i] = visible(i);
                page[i] = shown[i]
            :: else
            fi;
            i++
        :: else -> break
        od
    }
}

inline inbox_show()
{
    show_some((i == IQH || i == GSTS || i == CMD))
}

inline inbox_show_all()
{
    show_some(true)
}

/*
 * The same while vCPUs write, in the steps that can matter: what was written
 * before a command register is read after it, and GCMD may need all others.
 */
inline inbox_absorb()
{
    d_step {
        reg_locked = true;
        f_gcmd = page[GCMD] != shown[GCMD]
    };
    d_step {
        take(IQT);
        take(FSTS);
        f_cmd = page[CMD] != shown[CMD]
    };
    d_step {
        if :: f_gcmd || f_cmd -> take(ARG) :: else fi;
        if :: f_cmd -> take(CMD) :: else fi;
        if :: f_gcmd -> take(GCMD) :: else fi;
        f_gcmd = false;
        f_cmd = false;
        work = false;
        reg_locked = false
    }
}

#define peek() \
    (work || page[IQT] != shown[IQT] || page[CMD] != shown[CMD] || \
     page[GCMD] != shown[GCMD] || page[FSTS] != shown[FSTS])

/* sync_lock held. */
inline inbox_enter()
{
    d_step {
        i = 0;
        do
        :: i < NREGS -> shown[i] = visible(i); page[i] = shown[i]; i++
        :: else -> break
        od;
        live = true;
        watched = true;
        sync_locked = true
    };
    mapped = true
}

/*
 * From the unmapping to the end of the flush a vCPU may still write. The timer
 * that finds the page not live is not set again; here it always finds it so.
 */
inline inbox_leave()
{
    atomic {
        left = false;
        if
        :: live -> mapped = false
        :: else
        fi
    };
    do
    :: atomic { live && tlb[0] && landed(0) -> tlb[0] = false }
    :: atomic { live && tlb[1] && landed(1) -> tlb[1] = false }
    :: atomic { !tlb[0] && !tlb[1] && live ->
           take_all(); left = work; work = false; live = false;
           watched = false; break }
    :: !live -> break
    od
}

/* ---- qinval.c, fault.c: sync_lock held. ---- */

inline raise(bits)
{
    event = event || !regs[FSTS];
    regs[FSTS] = regs[FSTS] | bits
}

#define halted (regs[FSTS] & IQE)

/* rest: the budget ended before the work. */
inline commands_run(budgeted, rest)
{
    do
    :: atomic { cmd == NONE ->
           /* next_command() */
           if
           :: gcmd_pending ->
               gcmd_pending = false;
               cmd = GCMD;
               cmd_arg = regs[ARG];
               if
               :: (gcmd & QIE) && !queue_enabled ->
                   regs[IQH] = 0;
                   queue_enabled = true
               :: else
               fi
           :: else ->
               if
               :: regs[CMD] == IVT -> cmd = CMD; cmd_arg = regs[ARG]
               :: regs[CMD] != IVT && queue_enabled && !halted &&
                  regs[IQH] != regs[IQT] ->
                   assert(regs[IQH] < queued); /* order: it was given */
                   cmd = IQT
               :: else -> break
               fi
           fi;
           if
           :: budgeted -> rest = true; break
           :: true
           fi }
    :: cmd == IQT && regs[IQH] == bad ->
        inbox_leave();
        atomic {             /* fault_status() */
            deferred = deferred || left;
            left = false;
            raise(IQE);
            cmd = NONE;
            break
        }
    :: atomic { cmd != NONE && !(cmd == IQT && regs[IQH] == bad) ->
           /* execute() */
           if
           :: cmd == IQT -> effects++
           :: cmd == CMD -> flushed = cmd_arg
           :: cmd == GCMD && (gcmd & SRTP) -> root = cmd_arg
           :: else
           fi };
       d_step {
           /* complete() */
           if
           :: cmd == IQT -> status++; regs[IQH] = regs[IQH] + 1
           :: cmd == CMD -> regs[CMD] = 0
           :: cmd == GCMD -> regs[GSTS] = (regs[GSTS] & SRTP) | gcmd
           fi;
           if
           :: cmd == GCMD && (gcmd & SRTP) ->
               root_shows = true; root_seen = false
           :: cmd != GCMD && root_seen -> root_shows = false
           :: else
           fi;
           cmd = NONE;
           cmd_arg = 0
       };
       if
       :: root_shows -> inbox_leave(); left = false
       :: else
       fi
    od
}

/* ---- viommu.c ---- */

/* sync_lock held, and given back. */
inline viommu_run(budgeted, rest)
{
    if
    :: live -> inbox_absorb()
    :: else
    fi;
    commands_run(budgeted, rest);
    atomic {
        if
        :: live -> inbox_show()
        :: else
        fi;
        more = rest;
        rest = false;
        if
        :: more && !live -> more = false; deferred = true
        :: else
        fi;
        trapped[0] = trapped[0] && !served[0];
        trapped[1] = trapped[1] && !served[1];
        served[0] = false;
        served[1] = false;
        sync_locked = false
    }
}

/*
 * A trapped access; the page may come and go while it is under way. Its part
 * under reg_lock is one step. What then is to be done is done as if sync_lock
 * never were free at once: by viommu_work().
 */
inline viommu_mmio_write(r, x)
{
    atomic {
        !reg_locked;
        if :: live -> take_all() :: else fi;
        regs_apply(r, x);
        if :: live -> inbox_show_all() :: else fi;
        trapped[v] = leaves_work(r, x)
    };
    !trapped[v]
}

inline viommu_mmio_read(r, x)
{
    atomic {
        !reg_locked;
        if :: live -> take_all() :: else fi;
        x = regs[r];
        if :: r == GSTS -> root_seen = root_shows :: else fi;
        if :: live -> inbox_show_all() :: else fi
    }
}

/* ---- The guest. ---- */

/* An access exits if it finds no translation; all before it has landed then. */
#define hits (tlb[v] || mapped)

inline store(r, x)
{
    if
    :: atomic { landed(v) && hits ->
           tlb[v] = true; sb_full[v] = true; sb_reg[v] = r; sb_val[v] = x }
    :: landed(v) && !hits; viommu_mmio_write(r, x)
    fi
}

inline load(r, x)
{
    if
    :: atomic { forwards(v, r) -> x = sb_val[v] }
    :: atomic { !forwards(v, r) && hits -> tlb[v] = true; x = page[r] }
    :: landed(v) && !hits; viommu_mmio_read(r, x)
    fi
}

proctype memory()
{
end:
    do
    :: atomic { sb_full[0] -> page[sb_reg[0]] = sb_val[0];
                sb_full[0] = false; sb_reg[0] = 0; sb_val[0] = 0 }
    :: atomic { sb_full[1] -> page[sb_reg[1]] = sb_val[1];
                sb_full[1] = false; sb_reg[1] = 0; sb_val[1] = 0 }
    od
}

/* ---- Everything else that runs. ---- */

/* sidecore.c: visit(), while the guest is wanted. It may stop at any time. */
proctype sidecore()
{
    bool rest;

    do
    :: stopped = true; break
    :: !(live && (more || peek())) -> skip
    :: atomic { trylock_sync() && !live && !root_shows && !regs[FSTS] ->
           inbox_enter() };
        sync_locked = false
    :: atomic { trylock_sync() && live -> sync_locked = true };
        if
        :: more || peek()
        :: else -> inbox_leave(); left = false /* go_idle() */
        fi;
        viommu_run(true, rest)
    :: ends > 0 ->           /* sidecore_end(): unassign(), and the next one */
        atomic { ends--; lock_sync() };
        inbox_leave();
        atomic { left = false; more = false; sync_locked = false };
        deferred = true
    od
}

/* hvm_do_resume() of the vCPUs; what several have to do can be done at once. */
proctype viommu_work()
{
    bool rest, given_up;

end:
    do
    :: atomic {
           if
           :: deferred || trapped[0] || trapped[1]
           :: live && watched && (stopped || !late) -> /* sidecore_watch() */
               late = !stopped;
               given_up = true
           fi;
           lock_sync()
       };
       d_step {
           deferred = false;
           served[0] = trapped[0];
           served[1] = trapped[1]
       };
       if
       :: given_up ->        /* sidecore_fallback() */
           inbox_leave();
           atomic { left = false; more = false; given_up = false }
       :: else
       fi;
       viommu_run(false, rest)
    od
}

#if defined(FAULTY) || defined(BUSY)
/* A device whose requests fault. */
proctype device(byte faults)
{
    do
    :: raised < faults ->
        atomic { lock_sync() };         /* viommu_fault() */
        inbox_leave();
        atomic {
            deferred = deferred || left || more;
            left = false;
            raised++;
            raise(FAULT);
            sync_locked = false
        }
    :: else -> break
    od
}
#endif
