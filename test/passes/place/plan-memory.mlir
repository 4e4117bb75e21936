// RUN: glm-opt %s --pass-pipeline='builtin.module(program.entry(glm-plan-memory))' | FileCheck %s
// RUN: glm-opt %s --pass-pipeline='builtin.module(program.entry(glm-plan-memory{in-place=false}))' | FileCheck %s --check-prefix=APART

program.dim @max_rows session max 2048
program.dim @rows step max 2048 bound @max_rows

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
