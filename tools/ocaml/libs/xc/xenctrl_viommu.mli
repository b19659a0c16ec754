(* SPDX-License-Identifier: LGPL-2.1-only *)

(** The emulated Intel VT-d unit of an HVM guest. For the control domain only.
    All functions raise {!Xenctrl.Error} with "ERRNO: MESSAGE"; the numbers are
    those that xenctrl_viommu.h explains, among them EOPNOTSUPP if Xen cannot
    emulate a unit here, and ENOENT ([set], [bind], [unbind]) if the domain has
    none. *)

(** Segment, bus, device, function. *)
type sbdf = int * int * int * int

(** What translates a device's DMA now. *)
type table =
  | Identity  (** the domain's own table *)
  | Shadow    (** a shadow of a table of the guest *)
  | Blocked   (** nothing is reachable *)

type device = {
  host: sbdf;
  guest: sbdf;
  table: table;
  domain: int;  (** the guest's domain ID of a shadow table, else 0 *)
}

type counter = {
  name: string;
  meaning: string;
  value: int64;  (** unsigned *)
}

type mode =
  | Trap      (** every register access is an exit *)
  | Sidecore  (** none is, while a sidecore polls *)

type teardown =
  | Strict      (** what the guest unmaps goes at once *)
  | Optimistic  (** it may linger, in case it is mapped again *)

type settings = {
  mode: mode;
  teardown: teardown;
  window_us: int;    (** how long what is unmapped may linger: 1 to 1000000 *)
  quota: int;        (** how many such pages there may be: 1 to 65536 *)
  fallback_us: int;  (** trap when the sidecore is silent for so long: 1000 to
                         1000000 *)
  idle_us: int;      (** trap when the guest is: 1000 to 60000000 *)
}

type info = {
  table_pages: int;   (** quota of shadow table pages, 4 KiB each *)
  translation: bool;  (** the guest turned translation on *)
  queue: bool;        (** and queued invalidation *)
  quarantined: bool;  (** the host failed: all DMA is blocked *)
  cap: int64;         (** capability register, unsigned *)
  ecap: int64;        (** extended capability register, unsigned *)
  settings: settings;
  sidecore: Xenctrl.domid option;  (** the one that serves it *)
  no_exit: bool;      (** register accesses do not trap now *)
  overcommit: bool;   (** as given to [create] *)
  intremap: bool;     (** the guest turned interrupt remapping on *)
  devices: device array;
  counters: counter array;
}

(** Gives the domain a unit: once, before it first runs and has devices.
    [table_pages] is the quota of shadow table pages, 0 for Xen's default.
    [overcommit]: it may have less memory than its maximum, populated on demand;
    its devices then are blocked until it turns translation on.
    [intremap]: the unit remaps interrupts, too; the device model has to hand on
    interrupt messages as they are.
    Errors: EEXIST (it has one), EBUSY (it ran, or has devices), EXDEV (it was
    created without passthrough), EOPNOTSUPP (also: no HAP, altp2m or nested
    HVM in use), ENOMEM, EINVAL (not an HVM domain; [table_pages] is negative
    or has more than 32 bits). *)
val create: Xenctrl.handle -> Xenctrl.domid -> table_pages:int ->
  overcommit:bool -> intremap:bool -> unit

(** Changes all settings, at any time; a new unit is in trap mode. Errors:
    ERANGE (a value is not in its range), ENXIO (sidecore mode, and no sidecore
    runs), ENOMEM, EINVAL (a number is negative or has more than 32 bits). *)
val set: Xenctrl.handle -> Xenctrl.domid -> settings -> unit

(** Puts a device that is assigned to the domain behind the unit, where the
    guest sees it. Errors: ENODEV (not assigned to it), ERANGE ([guest] is not
    in slots 0x10 to 0x1f of bus 0), EEXIST (device or place is bound),
    EOPNOTSUPP (RMRR, or behind a legacy bridge), ENOMEM, ENOSPC. *)
val bind: Xenctrl.handle -> Xenctrl.domid -> host:sbdf -> guest:sbdf -> unit

(** Takes a device from behind the unit; deassigning it implies this. Errors:
    ENODEV (not bound). *)
val unbind: Xenctrl.handle -> Xenctrl.domid -> host:sbdf -> unit

(** Reports on the unit; [None] if the domain has none. *)
val get_info: Xenctrl.handle -> Xenctrl.domid -> info option

type sidecore = {
  guests: int;       (** how many it serves *)
  asleep: bool;      (** none of them has work *)
  polls: int64;      (** its hypercalls *)
  batches: int64;    (** visits to a guest that found work *)
  wakeups: int64;
  silent_us: int64;  (** since its last hypercall *)
}

(** Makes a PVH domain, which has not run yet, a sidecore until it is destroyed.
    Errors: EINVAL (a PV domain, or one with a unit), EEXIST (it is one), ENOSPC
    (there are too many), ENOMEM. *)
val sidecore_start: Xenctrl.handle -> Xenctrl.domid -> unit

(** Reports on a sidecore; [None] if the domain is none. *)
val sidecore_info: Xenctrl.handle -> Xenctrl.domid -> sidecore option
