(* SPDX-License-Identifier: GPL-2.0-only *)

(* Xenctrl_viommu, with the Xen of ocaml_xc.c. *)

open Xenctrl_viommu

let bad = ref false

let run name test =
  let ok = try test () with e -> print_endline (Printexc.to_string e); false in
  if not ok then bad := true;
  Printf.printf "%s %s\n%!" (if ok then "ok" else "FAIL") name

let raises text f =
  try f (); false with Xenctrl.Error e -> String.ends_with ~suffix:text e

let () =
  let xc = Xenctrl.interface_open () in
  let host = (1, 2, 3, 4) and guest = (0, 0, 0x10, 0) in

  run "ocaml_create_passes_the_quota" (fun () ->
    create xc 1 ~table_pages:0xffffffff;
    match get_info xc 1 with
    | Some i -> i.table_pages = 0xffffffff && i.devices = [||]
    | None -> false);

  run "ocaml_bind_and_unbind_name_the_device" (fun () ->
    bind xc 1 ~host ~guest;
    unbind xc 1 ~host;
    raises "No such device" (fun () -> unbind xc 1 ~host:guest));

  run "ocaml_errors_are_raised" (fun () ->
    raises "File exists" (fun () -> create xc 2 ~table_pages:0) &&
    raises "No such file or directory" (fun () -> bind xc 2 ~host ~guest) &&
    raises "Invalid argument" (fun () -> create xc 1 ~table_pages:(-1)) &&
    raises "Invalid argument" (fun () -> create xc 1 ~table_pages:(1 lsl 32)));

  run "ocaml_no_unit_is_none" (fun () -> get_info xc 2 = None);

  (* Often, so that the collector runs in the middle of building a result. *)
  run "ocaml_info_is_whole" (fun () ->
    let whole () =
      match get_info xc 1 with
      | None -> false
      | Some i ->
        i.translation && not i.queue && not i.quarantined &&
        i.cap = 0xfedcba9876543210L && i.ecap = 0xf0f0fL &&
        i.devices = [| { host; guest; table = Shadow; domain = 7 } |] &&
        i.counters.(0).name = "reg_reads" &&
        Array.for_all (fun c -> c.name <> "" && c.meaning <> "") i.counters &&
        Array.mapi (fun n _ -> Int64.of_int n) i.counters =
          Array.map (fun c -> c.value) i.counters
    in
    let rec all n = n = 0 || (whole () && all (n - 1)) in
    all 2000);

  exit (if !bad then 1 else 0)
