// RUN: glm-opt %s --glm-verify-placement --verify-diagnostics --split-input-file

// A function of an earlier phase is left.
// expected-error @below {{[GLM0401]: func.func: is still in a placed module; this is a defect of the compiler, please report it}}
func.func private @layer()

// -----

// Two weights on the same bytes.
program.segment @weights weights align 2097152 size 4096 on @host
program.weight @a : !kernel.buffer<64xbf16> in @weights at 0 size 128 group @g from "a" tensor<64xbf16> file "f" position 0
// expected-error @below {{[GLM0401]: weights: packed weights overlap: one ends at 128, the next begins at 64}}
program.weight @b : !kernel.buffer<64xbf16> in @weights at 64 size 128 group @g from "b" tensor<64xbf16> file "f" position 0

// -----

// A weight behind the end of its segment.
program.segment @weights weights align 2097152 size 64 on @host
// expected-error @below {{[GLM0401]: weights: end at 128 in a segment of 64 bytes}}
program.weight @a : !kernel.buffer<64xbf16> in @weights at 0 size 128 group @g from "a" tensor<64xbf16> file "f" position 0

// -----

// A reference in another form than the weight has.
program.segment @weights weights align 2097152 size 128 on @host
program.weight @a : !kernel.buffer<64xbf16> in @weights at 0 size 128 group @g from "a" tensor<64xbf16> file "f" position 0
program.entry @step arena <0> {
  // expected-error @below {{[GLM0401]: step: refers to memory that the module does not have in that form}}
  %a = program.weight_ref @a : !kernel.buffer<64xf32>
}

// -----

// A missing barrier.
kernel.func @fill(%y: !kernel.buffer<16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %t = kernel.splat %zero : f32 -> !kernel.tile<1x16xf32>
  kernel.store_tile %t, %y[%c0] : !kernel.tile<1x16xf32>, !kernel.buffer<16xf32>
  kernel.return
}
program.entry @step arena <64> {
  %a = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  program.launch @fill(%a) label "" on @host : !kernel.buffer<16xf32>
  // expected-error @below {{[GLM0401]: step: two launches touch the same memory without a barrier between them}}
  program.launch @fill(%a) label "" on @host : !kernel.buffer<16xf32>
}

// -----

// Two buffers on the same bytes in one interval.
kernel.func @fill(%y: !kernel.buffer<16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %t = kernel.splat %zero : f32 -> !kernel.tile<1x16xf32>
  kernel.store_tile %t, %y[%c0] : !kernel.tile<1x16xf32>, !kernel.buffer<16xf32>
  kernel.return
}
program.entry @step arena <64> {
  %a = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  %b = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  program.launch @fill(%a) label "" on @host : !kernel.buffer<16xf32>
  // expected-error @below {{[GLM0401]: step: shares bytes with a buffer that is in use in the same interval}}
  program.launch @fill(%b) label "" on @host : !kernel.buffer<16xf32>
}

// -----

// A result that a later launch has written over.
kernel.func @fill(%y: !kernel.buffer<16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %t = kernel.splat %zero : f32 -> !kernel.tile<1x16xf32>
  kernel.store_tile %t, %y[%c0] : !kernel.tile<1x16xf32>, !kernel.buffer<16xf32>
  kernel.return
}
program.entry @step arena <64> {
  %a = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  %b = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  // expected-error @below {{[GLM0401]: step: gives out a buffer that another was written over}}
  program.port output "a" %a : !kernel.buffer<16xf32>
  program.launch @fill(%a) label "" on @host : !kernel.buffer<16xf32>
  program.barrier @host
  program.launch @fill(%b) label "" on @host : !kernel.buffer<16xf32>
}

// -----

program.entry @step arena <64> {
  // expected-error @below {{[GLM0401]: step: has a buffer outside its arena or not at a multiple of 64 bytes}}
  %a = program.buffer at <64> size <64> : !kernel.buffer<16xf32>
}

// -----

program.entry @step arena <64> {
  // expected-error @below {{[GLM0401]: step: has a buffer without a place}}
  %a = program.buffer : !kernel.buffer<16xf32>
}

// -----

// expected-error @below {{[GLM0401]: step: has no arena that is a multiple of 64 bytes}}
program.entry @step {
}

// -----

// A missing barrier behind a branch: one of its lists has none.
kernel.func @fill(%y: !kernel.buffer<16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %t = kernel.splat %zero : f32 -> !kernel.tile<1x16xf32>
  kernel.store_tile %t, %y[%c0] : !kernel.tile<1x16xf32>, !kernel.buffer<16xf32>
  kernel.return
}
program.dim @max_rows session max 2048
program.dim @rows step max 2048 bound @max_rows
program.entry @step arena <64> {
  %a = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  program.launch @fill(%a) label "" on @host : !kernel.buffer<16xf32>
  program.branch <rows> less <4> {
    program.barrier @host
  } otherwise {
  }
  // expected-error @below {{[GLM0401]: step: two launches touch the same memory without a barrier between them}}
  program.launch @fill(%a) label "" on @host : !kernel.buffer<16xf32>
}

// -----

// A missing barrier in a list, against what runs in front of the branch.
kernel.func @fill(%y: !kernel.buffer<16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %t = kernel.splat %zero : f32 -> !kernel.tile<1x16xf32>
  kernel.store_tile %t, %y[%c0] : !kernel.tile<1x16xf32>, !kernel.buffer<16xf32>
  kernel.return
}
program.dim @max_rows session max 2048
program.dim @rows step max 2048 bound @max_rows
program.entry @step arena <64> {
  %a = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  program.launch @fill(%a) label "" on @host : !kernel.buffer<16xf32>
  program.branch <rows> less <4> {
  } otherwise {
    // expected-error @below {{[GLM0401]: step: two launches touch the same memory without a barrier between them}}
    program.launch @fill(%a) label "" on @host : !kernel.buffer<16xf32>
  }
}

// -----

// A result that only one list has written over.
kernel.func @fill(%y: !kernel.buffer<16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %t = kernel.splat %zero : f32 -> !kernel.tile<1x16xf32>
  kernel.store_tile %t, %y[%c0] : !kernel.tile<1x16xf32>, !kernel.buffer<16xf32>
  kernel.return
}
program.dim @max_rows session max 2048
program.dim @rows step max 2048 bound @max_rows
program.entry @step arena <64> {
  %a = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  %b = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  // expected-error @below {{[GLM0401]: step: gives out a buffer that another was written over}}
  program.port output "a" %a : !kernel.buffer<16xf32>
  program.launch @fill(%a) label "" on @host : !kernel.buffer<16xf32>
  program.barrier @host
  program.branch <rows> less <4> {
  } otherwise {
    program.launch @fill(%b) label "" on @host : !kernel.buffer<16xf32>
  }
}

// -----

// Memory of a list that still runs behind the branch.
kernel.func @fill(%y: !kernel.buffer<16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %t = kernel.splat %zero : f32 -> !kernel.tile<1x16xf32>
  kernel.store_tile %t, %y[%c0] : !kernel.tile<1x16xf32>, !kernel.buffer<16xf32>
  kernel.return
}
program.dim @max_rows session max 2048
program.dim @rows step max 2048 bound @max_rows
program.entry @step arena <64> {
  %a = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  %b = program.buffer at <0> size <64> : !kernel.buffer<16xf32>
  program.branch <rows> less <4> {
    program.launch @fill(%a) label "" on @host : !kernel.buffer<16xf32>
  } otherwise {
  }
  // expected-error @below {{[GLM0401]: step: shares bytes with a buffer that is in use in the same interval}}
  program.launch @fill(%b) label "" on @host : !kernel.buffer<16xf32>
}
