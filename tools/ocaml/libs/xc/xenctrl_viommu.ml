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

type info = {
  table_pages: int;
  translation: bool;
  queue: bool;
  quarantined: bool;
  cap: int64;
  ecap: int64;
  devices: device array;
  counters: counter array;
}

external create: Xenctrl.handle -> Xenctrl.domid -> table_pages:int -> overcommit:bool -> unit
  = "stub_xc_viommu_create"
external bind: Xenctrl.handle -> Xenctrl.domid -> host:sbdf -> guest:sbdf -> unit
  = "stub_xc_viommu_bind"
external unbind: Xenctrl.handle -> Xenctrl.domid -> host:sbdf -> unit
  = "stub_xc_viommu_unbind"
external get_info: Xenctrl.handle -> Xenctrl.domid -> info option
  = "stub_xc_viommu_get_info"
