// RUN: glm-opt %s --pass-pipeline='builtin.module(program.entry(glm-plan-memory))' | FileCheck %s
// RUN: glm-opt %s --pass-pipeline='builtin.module(program.entry(glm-plan-memory{in-place=false}))' | FileCheck %s --check-prefix=APART

program.dim @max_rows session max 2048
program.dim @rows step max 2048 bound @max_rows
program.dim @expanded_keys session max 512 min 0
program.dim @keys step max 512 bound @expanded_keys

kernel.func @rowwise(%x: !kernel.buffer<?x16xf32>, %y: !kernel.buffer<?x16xf32>) {
  %c0 = arith.constant 0 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x16xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %t = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x16xf32> -> !kernel.tile<1x16xf32>
    kernel.store_tile %t, %y[%i, %c0] : !kernel.tile<1x16xf32>, !kernel.buffer<?x16xf32>
  }
  kernel.return
}
// Writes row i, but reads row 0: another unit may have overwritten it.
kernel.func @crosswise(%x: !kernel.buffer<?x16xf32>, %y: !kernel.buffer<?x16xf32>) {
  %c0 = arith.constant 0 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x16xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %t = kernel.load_tile %x[%c0, %c0] : !kernel.buffer<?x16xf32> -> !kernel.tile<1x16xf32>
    kernel.store_tile %t, %y[%i, %c0] : !kernel.tile<1x16xf32>, !kernel.buffer<?x16xf32>
  }
  kernel.return
}

// A row-wise kernel writes over the operand that dies in it; ports keep their own memory.
// CHECK-LABEL: program.entry @in_place arena <max_rows * 128> scratch <0>
// CHECK: program.buffer dim "rows" at <[[A:.*]]> size <max_rows * 64>
// CHECK-NEXT: program.buffer dim "rows" at <[[B:.*]]> size <max_rows * 64>
// CHECK-NEXT: program.buffer dim "rows" at <[[B]]> size <max_rows * 64>
// CHECK-NEXT: program.buffer dim "rows" at <[[A]]> size <max_rows * 64>
// APART-LABEL: program.entry @in_place arena <max_rows * 128> scratch <0>
program.entry @in_place {
  %a = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %d = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  program.port input "a" %a : !kernel.buffer<?x16xf32>
  program.port output "d" %d : !kernel.buffer<?x16xf32>
  program.launch @rowwise(%a, %b) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  program.barrier @host
  program.launch @rowwise(%b, %c) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  program.barrier @host
  program.launch @rowwise(%c, %d) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
}

// A kernel that reads other rows needs both buffers at once.
// CHECK-LABEL: program.entry @not_in_place
// CHECK: program.buffer dim "rows" at <max_rows * 64>
// CHECK-NEXT: program.buffer dim "rows" at <0>
program.entry @not_in_place {
  %a = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  program.launch @crosswise(%a, %b) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  program.barrier @host
  program.launch @crosswise(%b, %c) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
}

// Launches of one interval may overlap, so what one is done with is not free for the other.
// CHECK-LABEL: program.entry @one_interval arena <max_rows * 256>
program.entry @one_interval {
  %a = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %d = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  program.launch @crosswise(%a, %b) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  program.launch @crosswise(%c, %d) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
}

// Constant sizes come first, rounded up to lines; the rest follows in units of the session dimension.
// CHECK-LABEL: program.entry @pools arena <64 + max_rows * 64>
// CHECK: program.buffer at <0> size <64> : <13xi32>
// CHECK-NEXT: program.buffer dim "rows" at <64> size <max_rows * 64> : <?x3xi32>
program.entry @pools {
  %a = program.buffer : !kernel.buffer<13xi32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x3xi32>
  program.port input "a" %a : !kernel.buffer<13xi32>
  program.port output "b" %b : !kernel.buffer<?x3xi32>
}

// An operand that somebody reads later keeps its memory.
// CHECK-LABEL: program.entry @still_needed
// CHECK: program.buffer dim "rows" at <[[B:.*]]> size <max_rows * 64>
// CHECK-NOT: at <[[B]]>
// CHECK: program.launch
program.entry @still_needed {
  %b = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  program.launch @rowwise(%b, %c) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  program.barrier @host
  program.launch @rowwise(%b, %c) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
}

// What only one list uses shares memory with what only the other uses, but not with what lives across the branch. Keys are
// a region of their own.
// CHECK-LABEL: program.entry @alternatives arena <max_rows * 192 + expanded_keys * 64>
// CHECK: program.buffer dim "rows" at <[[ACROSS:.*]]> size <max_rows * 64>
// CHECK-NEXT: program.buffer dim "rows" at <[[L0:.*]]> size <max_rows * 64>
// CHECK-NEXT: program.buffer dim "rows" at <[[OUT:.*]]> size <max_rows * 64>
// CHECK-NEXT: program.buffer dim "rows" at <[[L0]]> size <max_rows * 64>
// CHECK-NEXT: program.buffer dim "rows" at <[[OUT]]> size <max_rows * 64>
// CHECK-NEXT: program.buffer dim "keys" at <max_rows * 192> size <expanded_keys * 64>
program.entry @alternatives {
  %across = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %less = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %out = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %other0 = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %other1 = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %keys = program.buffer dim "keys" : !kernel.buffer<?x16xf32>
  program.port input "across" %across : !kernel.buffer<?x16xf32>
  program.port output "across" %across : !kernel.buffer<?x16xf32>
  program.branch <keys> less <1> {
    program.launch @crosswise(%across, %less) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
    program.barrier @host
    program.launch @crosswise(%less, %out) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  } otherwise {
    program.launch @crosswise(%across, %other0) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
    program.launch @crosswise(%across, %other1) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
    program.launch @crosswise(%across, %keys) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
    program.barrier @host
    program.launch @crosswise(%other0, %out) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  }
}

// What ran in front of a branch may still run behind it when one way has no barrier: no memory is free by then.
// CHECK-LABEL: program.entry @around arena <max_rows * 256>
program.entry @around {
  %a = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %d = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  program.launch @crosswise(%a, %b) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  program.branch <keys> less <1> {
    program.barrier @host
  } otherwise {
  }
  program.launch @crosswise(%c, %d) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
}

// Inside a list a row-wise kernel writes over an operand that only this list uses, and not over one that the other reads too.
// CHECK-LABEL: program.entry @in_place_in_lists
// CHECK: program.buffer dim "rows" at <{{.*}}> size
// CHECK-NEXT: program.buffer dim "rows" at <[[SHARED:.*]]> size
// CHECK-NEXT: program.buffer dim "rows" at <[[A:.*]]> size
// CHECK-NEXT: program.buffer dim "rows" at <[[A]]> size
// CHECK-NOT: at <[[SHARED]]>
// CHECK: program.port
program.entry @in_place_in_lists {
  %in = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %shared = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %a = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x16xf32>
  program.port input "in" %in : !kernel.buffer<?x16xf32>
  program.port output "c" %c : !kernel.buffer<?x16xf32>
  program.launch @crosswise(%in, %shared) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  program.barrier @host
  program.branch <keys> less <1> {
    program.launch @crosswise(%in, %a) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
    program.barrier @host
    program.launch @rowwise(%a, %b) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
    program.launch @rowwise(%shared, %c) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  } otherwise {
    program.barrier @host
    program.launch @rowwise(%shared, %c) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  }
}
