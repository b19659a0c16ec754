(* SPDX-License-Identifier: LGPL-2.1-only *)

type sbdf = int * int * int * int

(* Their order is that of XEN_VIOMMU_TABLE_*. *)
type table = Identity | Shadow | Blocked

(* Fields of records are in the order in which xenctrl_viommu_stubs.c sets
   them. *)
type device = {
  host: sbdf;
  guest: sbdf;
  table: table;
  domain: int;
}

type counter = {
  name: string;
  meaning: string;
  value: int64;
}

(* Their order is that of XEN_VIOMMU_MODE_* and XEN_VIOMMU_TEARDOWN_*. *)
type mode = Trap | Sidecore
type teardown = Strict | Optimistic

type settings = {
  mode: mode;
  teardown: teardown;
  window_us: int;
  quota: int;
  fallback_us: int;
  idle_us: int;
}

type info = {
  table_pages: int;
  translation: bool;
  queue: bool;
  quarantined: bool;
  cap: int64;
  ecap: int64;
  settings: settings;
  sidecore: Xenctrl.domid option;
  no_exit: bool;
  overcommit: bool;
  intremap: bool;
  devices: device array;
  counters: counter array;
}

type sidecore = {
  guests: int;
  asleep: bool;
  polls: int64;
  batches: int64;
  wakeups: int64;
  silent_us: int64;
}

external create: Xenctrl.handle -> Xenctrl.domid -> table_pages:int ->
  overcommit:bool -> intremap:bool -> unit = "stub_xc_viommu_create"
external set: Xenctrl.handle -> Xenctrl.domid -> settings -> unit
  = "stub_xc_viommu_set"
external bind: Xenctrl.handle -> Xenctrl.domid -> host:sbdf -> guest:sbdf -> unit
  = "stub_xc_viommu_bind"
external unbind: Xenctrl.handle -> Xenctrl.domid -> host:sbdf -> unit
  = "stub_xc_viommu_unbind"
external get_info: Xenctrl.handle -> Xenctrl.domid -> info option
  = "stub_xc_viommu_get_info"
external sidecore_start: Xenctrl.handle -> Xenctrl.domid -> unit
  = "stub_xc_viommu_sidecore_start"
external sidecore_info: Xenctrl.handle -> Xenctrl.domid -> sidecore option
  = "stub_xc_viommu_sidecore_info"
