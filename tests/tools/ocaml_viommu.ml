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

  run "ocaml_create_passes_quota_and_flags" (fun () ->
    let is pages over remap =
      create xc 1 ~table_pages:pages ~overcommit:over ~intremap:remap;
      match get_info xc 1 with
      | Some i -> i.table_pages = pages && i.overcommit = over &&
                  i.intremap = remap && i.devices = [||]
      | None -> false
    in
    is 12 true false && is 0xffffffff false true);

  run "ocaml_bind_and_unbind_name_the_device" (fun () ->
    bind xc 1 ~host ~guest;
    unbind xc 1 ~host;
    raises "No such device" (fun () -> unbind xc 1 ~host:guest));

  run "ocaml_errors_are_raised" (fun () ->
    raises "File exists" (fun () ->
      create xc 2 ~table_pages:0 ~overcommit:false ~intremap:false) &&
    raises "No such file or directory" (fun () -> bind xc 2 ~host ~guest) &&
    List.for_all (fun n ->
      raises "Invalid argument" (fun () ->
        create xc 1 ~table_pages:n ~overcommit:false ~intremap:false)) [ -1; 1 lsl 32 ]);

  let defaults = { mode = Trap; teardown = Optimistic; window_us = 5000;
                   quota = 4096; fallback_us = 20000; idle_us = 100000 } in
  let all = { mode = Sidecore; teardown = Strict; window_us = 11; quota = 12;
              fallback_us = 1013; idle_us = 0xffffffff } in
  let is settings sidecore =
    match get_info xc 1 with
    | Some i -> i.settings = settings && i.sidecore = sidecore &&
                i.no_exit = (sidecore <> None)
    | None -> false
  in

  run "ocaml_settings_are_passed_both_ways" (fun () ->
    is defaults None &&
    raises "No such device or address" (fun () -> set xc 1 all) &&
    is defaults None &&
    (sidecore_start xc 3; set xc 1 all; is all (Some 3)) &&
    raises "No such file or directory" (fun () -> set xc 2 all));

  run "ocaml_settings_of_more_than_32_bits_are_refused" (fun () ->
    List.for_all (fun n ->
      List.for_all (fun s -> raises "Invalid argument" (fun () -> set xc 1 s))
        [ { all with window_us = n }; { all with quota = n };
          { all with fallback_us = n }; { all with idle_us = n } ])
      [ -1; 1 lsl 32 ] &&
    is all (Some 3));

  run "ocaml_sidecore_is_reported" (fun () ->
    raises "File exists" (fun () -> sidecore_start xc 3) &&
    sidecore_info xc 1 = None &&
    sidecore_info xc 3 =
      Some { guests = 1; asleep = true;
             polls = Int64.shift_left 2L 40; batches = Int64.shift_left 3L 40;
             wakeups = Int64.shift_left 4L 40;
             silent_us = Int64.shift_left 5L 40 });

  run "ocaml_no_unit_is_none" (fun () -> get_info xc 2 = None);

  (* Often, so that the collector runs in the middle of building a result. *)
  run "ocaml_info_is_whole" (fun () ->
    let whole () =
      match get_info xc 1 with
      | None -> false
      | Some i ->
        i.translation && not i.queue && not i.quarantined &&
        i.settings = all && i.sidecore = Some 3 &&
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
