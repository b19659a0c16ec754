(* SPDX-License-Identifier: LGPL-2.1-only *)

(** The emulated Intel VT-d unit of an HVM guest. For the control domain only.
    All functions raise {!Xenctrl.Error} with "ERRNO: MESSAGE"; the numbers are
    those that xenctrl_viommu.h explains, among them EOPNOTSUPP if Xen cannot
    emulate a unit here, and ENOENT (all but [create] and [get_info]) if the
    domain has none. *)

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

type info = {
  table_pages: int;   (** quota of shadow table pages, 4 KiB each *)
  translation: bool;  (** the guest turned translation on *)
  queue: bool;        (** and queued invalidation *)
  quarantined: bool;  (** the host failed: all DMA is blocked *)
  cap: int64;         (** capability register, unsigned *)
  ecap: int64;        (** extended capability register, unsigned *)
  devices: device array;
  counters: counter array;
}

(** Gives the domain a unit: once, before it first runs and has devices.
    [table_pages] is the quota of shadow table pages, 0 for Xen's default.
    Errors: EEXIST (it has one), EBUSY (it ran, or has devices), EXDEV (it was
    created without passthrough), EOPNOTSUPP (also: no HAP, altp2m or nested
    HVM in use), ENOMEM, EINVAL (not an HVM domain; [table_pages] is negative
    or has more than 32 bits). *)
val create: Xenctrl.handle -> Xenctrl.domid -> table_pages:int -> overcommit:bool -> unit

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
