// RUN: glm-opt %s --glm-verify-placement | FileCheck %s

// An entry whose second launch writes over the operand of the first, row by row and behind a barrier, is right.
// CHECK: program.entry @

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
program.entry @step arena <max_rows * 128> {
  %a = program.buffer dim "rows" at <0> size <max_rows * 64> : !kernel.buffer<?x16xf32>
  %b = program.buffer dim "rows" at <max_rows * 64> size <max_rows * 64> : !kernel.buffer<?x16xf32>
  %c = program.buffer dim "rows" at <max_rows * 64> size <max_rows * 64> : !kernel.buffer<?x16xf32>
  program.port input "a" %a : !kernel.buffer<?x16xf32>
  program.port output "c" %c : !kernel.buffer<?x16xf32>
  program.launch @rowwise(%a, %b) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  program.barrier @host
  program.launch @rowwise(%b, %c) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
}

// Memory of one list may be that of the other: only one of them runs.
// CHECK: program.entry @lists
program.entry @lists arena <max_rows * 128> {
  %a = program.buffer dim "rows" at <0> size <max_rows * 64> : !kernel.buffer<?x16xf32>
  %b = program.buffer dim "rows" at <max_rows * 64> size <max_rows * 64> : !kernel.buffer<?x16xf32>
  %c = program.buffer dim "rows" at <max_rows * 64> size <max_rows * 64> : !kernel.buffer<?x16xf32>
  program.port input "a" %a : !kernel.buffer<?x16xf32>
  program.branch <rows> less <4> {
    program.launch @rowwise(%a, %b) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  } otherwise {
    program.launch @rowwise(%a, %c) label "" on @host : !kernel.buffer<?x16xf32>, !kernel.buffer<?x16xf32>
  }
}
