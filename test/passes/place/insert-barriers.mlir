// RUN: glm-opt %s --pass-pipeline='builtin.module(program.entry(glm-insert-barriers))' | FileCheck %s

kernel.func @copy(%x: !kernel.buffer<?x8xf32>, %y: !kernel.buffer<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x8xf32>
  kernel.parallel (%i) to (%n) step [4] {
    %t = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x8xf32> -> !kernel.tile<4x8xf32>
    kernel.store_tile %t, %y[%i, %c0] : !kernel.tile<4x8xf32>, !kernel.buffer<?x8xf32>
  }
  kernel.return
}
kernel.func @append(%x: !kernel.buffer<?x8xf32>, %cache: !kernel.cache<8xf32>) {
  %c0 = arith.constant 0 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x8xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %t = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x8xf32> -> !kernel.tile<1x8xf32>
    kernel.store_tile %t, %cache[%c0, %i] : !kernel.tile<1x8xf32>, !kernel.cache<8xf32>
  }
  kernel.return
}
kernel.func @read(%cache: !kernel.cache<8xf32>, %y: !kernel.buffer<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %n = kernel.dim %y, 0 : !kernel.buffer<?x8xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %t = kernel.load_tile %cache[%c0, %i] : !kernel.cache<8xf32> -> !kernel.tile<1x8xf32>
    kernel.store_tile %t, %y[%i, %c0] : !kernel.tile<1x8xf32>, !kernel.buffer<?x8xf32>
  }
  kernel.return
}

kernel.func @rowwise(%x: !kernel.buffer<?x8xf32>, %y: !kernel.buffer<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %n = kernel.dim %x, 0 : !kernel.buffer<?x8xf32>
  kernel.parallel (%i) to (%n) step [1] {
    %t = kernel.load_tile %x[%i, %c0] : !kernel.buffer<?x8xf32> -> !kernel.tile<1x8xf32>
    kernel.store_tile %t, %y[%i, %c0] : !kernel.tile<1x8xf32>, !kernel.buffer<?x8xf32>
  }
  kernel.return
}

// Two readers of one buffer stay together; who reads what was written waits.
// CHECK-LABEL: program.entry @reads
// CHECK: program.launch @copy
// CHECK-NEXT: program.launch @copy
// CHECK-NEXT: program.barrier @host
// CHECK-NEXT: program.launch @copy
// CHECK-NOT: program.barrier
program.entry @reads {
  %a = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %d = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  program.launch @copy(%a, %b) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.launch @copy(%a, %c) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.launch @copy(%b, %d) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
}

// Who overwrites what was read or written waits too.
// CHECK-LABEL: program.entry @overwrites
// CHECK: program.launch
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.launch
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.launch
program.entry @overwrites {
  %a = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  program.launch @copy(%a, %b) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.launch @copy(%c, %a) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.launch @copy(%c, %a) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
}

// A cache is one memory whatever value stands for it; another cache is another.
// CHECK-LABEL: program.entry @caches
// CHECK: program.launch @append
// CHECK-NEXT: program.launch @append
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.launch @read
program.entry @caches {
  %a = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %s = program.state_ref @latent : !kernel.cache<8xf32>
  %t = program.state_ref @keys : !kernel.cache<8xf32>
  %u = program.state_ref @latent : !kernel.cache<8xf32>
  program.launch @append(%a, %s) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.cache<8xf32>
  program.launch @append(%a, %t) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.cache<8xf32>
  program.launch @read(%u, %b) label "" on @host : !kernel.cache<8xf32>, !kernel.buffer<?x8xf32>
}

// A branch is no barrier: readers inside and behind it need none.
// CHECK-LABEL: program.entry @branches
// CHECK: program.launch
// CHECK-NEXT: program.branch
// CHECK-NEXT: program.launch
// CHECK-NEXT: } otherwise {
// CHECK-NEXT: }
// CHECK-NEXT: program.launch
// CHECK-NOT: program.barrier
program.entry @branches {
  %a = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %d = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  program.launch @copy(%a, %b) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.branch <rows> less <16> {
    program.launch @copy(%a, %c) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  } otherwise {
  }
  program.launch @copy(%a, %d) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
}

// Only the list that reads what ran in front of the branch waits; behind it waits who reads what either list wrote.
// CHECK-LABEL: program.entry @one_list_waits
// CHECK: program.launch
// CHECK-NEXT: program.branch
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.launch
// CHECK-NEXT: } otherwise {
// CHECK-NEXT: program.launch
// CHECK-NEXT: }
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.launch
// CHECK-NOT: program.barrier
program.entry @one_list_waits {
  %a = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %d = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  program.launch @copy(%a, %b) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.branch <rows> less <16> {
    program.launch @copy(%b, %c) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  } otherwise {
    program.launch @copy(%a, %c) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  }
  program.launch @copy(%c, %d) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
}

// Where both lists wait, they wait together in front of the branch.
// CHECK-LABEL: program.entry @both_lists_wait
// CHECK: program.launch
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.branch
// CHECK-NEXT: program.launch
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.launch
// CHECK-NEXT: } otherwise {
// CHECK-NEXT: program.launch
// CHECK-NEXT: }
program.entry @both_lists_wait {
  %a = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %d = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  program.launch @copy(%a, %b) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.branch <rows> less <16> {
    program.launch @copy(%b, %c) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
    program.launch @copy(%c, %d) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  } otherwise {
    program.launch @copy(%b, %d) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  }
}

// What ran in front of a branch runs on behind it if one way has no barrier.
// CHECK-LABEL: program.entry @around
// CHECK: program.launch
// CHECK-NEXT: program.branch
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.launch
// CHECK-NEXT: } otherwise {
// CHECK-NEXT: }
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.launch
program.entry @around {
  %a = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %d = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  program.launch @copy(%a, %b) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.branch <rows> less <16> {
    program.launch @copy(%b, %c) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  } otherwise {
  }
  program.launch @copy(%b, %d) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
}

// Row i stays with the worker of unit i: no barrier between row-wise launches, but one before a launch that has another grid.
// CHECK-LABEL: program.entry @rows
// CHECK: program.launch @rowwise
// CHECK-NEXT: program.launch @rowwise
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.launch @copy
program.entry @rows {
  %a = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %c = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  program.launch @rowwise(%a, %b) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.launch @rowwise(%b, %c) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.launch @copy(%c, %a) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
}

// Grids over different dimensions share rows differently among workers.
// CHECK-LABEL: program.entry @other_rows
// CHECK: program.launch @rowwise
// CHECK-NEXT: program.barrier
// CHECK-NEXT: program.launch @rowwise
program.entry @other_rows {
  %a = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %b = program.buffer dim "rows" : !kernel.buffer<?x8xf32>
  %c = program.buffer dim "logit_rows" : !kernel.buffer<?x8xf32>
  program.launch @rowwise(%a, %b) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
  program.launch @rowwise(%c, %b) label "" on @host : !kernel.buffer<?x8xf32>, !kernel.buffer<?x8xf32>
}
