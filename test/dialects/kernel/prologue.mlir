// RUN: glm-opt %s --verify-roundtrip | FileCheck %s
// What stands in front of attention and of experts, as --glm-tile-and-fuse writes it: rows that every worker normalises for
// itself and the two launches of many rows; the router of few rows and the three launches of many.

// CHECK-LABEL: kernel.func @norm_linear(
// CHECK: kernel.stack_rows
// CHECK-LABEL: kernel.func @linear_group(
// CHECK-LABEL: kernel.func @router(
// CHECK: kernel.group_rows
kernel.func @norm_linear(%arg0: !kernel.buffer<?x96xf32>, %arg1: !kernel.buffer<96xbf16>, %arg2: !kernel.buffer<40x96xbf16, #kernel.panels<16, 2>>, %arg3: !kernel.buffer<20x96xf32, #kernel.panels<16, 1>>, %arg4: !kernel.buffer<?x40xf32>, %arg5: !kernel.buffer<?x20xf32>) {
  %0 = kernel.dim %arg0, 0 : <?x96xf32>
  %c0 = arith.constant 0 : index
  %1 = kernel.stack_rows (%arg6) to %0 -> !kernel.tile<8x96xbf16> {
    %8 = kernel.load_tile %arg0[%arg6, %c0] : !kernel.buffer<?x96xf32> -> <1x96xf32>
    %9 = kernel.load_tile %arg1[%c0] : !kernel.buffer<96xbf16> -> <1x96xbf16>
    %10 = kernel.map(%8) : (!kernel.tile<1x96xf32>) -> !kernel.tile<1x96xf32> {
    ^bb0(%arg7: f32):
      %14 = arith.mulf %arg7, %arg7 : f32
      kernel.yield %14 : f32
    }
    %11 = kernel.reduce  sum %10 along 1 : <1x96xf32> -> <1x1xf32>
    %12 = kernel.map(%11) : (!kernel.tile<1x1xf32>) -> !kernel.tile<1x1xf32> {
    ^bb0(%arg7: f32):
      %cst = arith.constant 9.600000e+01 : f32
      %14 = arith.divf %arg7, %cst : f32
      %cst_0 = arith.constant 9.99999974E-6 : f32
      %15 = arith.addf %14, %cst_0 : f32
      %cst_1 = arith.constant 1.000000e+00 : f32
      %16 = math.sqrt %15 : f32
      %17 = arith.divf %cst_1, %16 : f32
      kernel.yield %17 : f32
    }
    %13 = kernel.map(%9, %8, %12) : (!kernel.tile<1x96xbf16>, !kernel.tile<1x96xf32>, !kernel.tile<1x1xf32>) -> !kernel.tile<1x96xbf16> {
    ^bb0(%arg7: bf16, %arg8: f32, %arg9: f32):
      %14 = arith.extf %arg7 : bf16 to f32
      %15 = arith.mulf %arg8, %arg9 : f32
      %16 = arith.mulf %15, %14 : f32
      %17 = arith.truncf %16 : f32 to bf16
      kernel.yield %17 : bf16
    }
    kernel.yield %13 : !kernel.tile<1x96xbf16>
  }
  %2 = kernel.slice %1 from 0 : <8x96xbf16> -> <8x48xbf16>
  %3 = kernel.slice %1 from 48 : <8x96xbf16> -> <8x48xbf16>
  %4 = kernel.dim %arg0, 0 : <?x96xf32>
  %5 = kernel.stack_rows (%arg6) to %4 -> !kernel.tile<8x96xf32> {
    %8 = kernel.load_tile %arg0[%arg6, %c0] : !kernel.buffer<?x96xf32> -> <1x96xf32>
    %9 = kernel.load_tile %arg1[%c0] : !kernel.buffer<96xbf16> -> <1x96xbf16>
    %10 = kernel.map(%8) : (!kernel.tile<1x96xf32>) -> !kernel.tile<1x96xf32> {
    ^bb0(%arg7: f32):
      %14 = arith.mulf %arg7, %arg7 : f32
      kernel.yield %14 : f32
    }
    %11 = kernel.reduce  sum %10 along 1 : <1x96xf32> -> <1x1xf32>
    %12 = kernel.map(%11) : (!kernel.tile<1x1xf32>) -> !kernel.tile<1x1xf32> {
    ^bb0(%arg7: f32):
      %cst = arith.constant 9.600000e+01 : f32
      %14 = arith.divf %arg7, %cst : f32
      %cst_0 = arith.constant 9.99999974E-6 : f32
      %15 = arith.addf %14, %cst_0 : f32
      %cst_1 = arith.constant 1.000000e+00 : f32
      %16 = math.sqrt %15 : f32
      %17 = arith.divf %cst_1, %16 : f32
      kernel.yield %17 : f32
    }
    %13 = kernel.map(%9, %8, %12) : (!kernel.tile<1x96xbf16>, !kernel.tile<1x96xf32>, !kernel.tile<1x1xf32>) -> !kernel.tile<1x96xf32> {
    ^bb0(%arg7: bf16, %arg8: f32, %arg9: f32):
      %14 = arith.extf %arg7 : bf16 to f32
      %15 = arith.mulf %arg8, %arg9 : f32
      %16 = arith.mulf %15, %14 : f32
      kernel.yield %16 : f32
    }
    kernel.yield %13 : !kernel.tile<1x96xf32>
  }
  %6 = kernel.slice %5 from 0 : <8x96xf32> -> <8x48xf32>
  %7 = kernel.slice %5 from 48 : <8x96xf32> -> <8x48xf32>
  %c5 = arith.constant 5 : index
  %c3 = arith.constant 3 : index
  %c16 = arith.constant 16 : index
  %c48 = arith.constant 48 : index
  kernel.parallel (%arg6) to (%c5) step [1] {
    %8 = arith.cmpi slt, %arg6, %c3 : index
    scf.if %8 {
      %9 = arith.muli %arg6, %c16 : index
      %cst = arith.constant 0.000000e+00 : f32
      %10 = kernel.splat %cst : f32 -> <8x16xf32>
      %11 = kernel.load_tile %arg2[%9, %c0] : !kernel.buffer<40x96xbf16, #kernel.panels<16, 2>> -> <16x48xbf16>
      %12 = kernel.mma %2, %11, %10 : <8x48xbf16>, <16x48xbf16>, <8x16xf32>
      %13 = kernel.load_tile %arg2[%9, %c48] : !kernel.buffer<40x96xbf16, #kernel.panels<16, 2>> -> <16x48xbf16>
      %14 = kernel.mma %3, %13, %12 : <8x48xbf16>, <16x48xbf16>, <8x16xf32>
      kernel.store_tile %14, %arg4[%c0, %9] : <8x16xf32>, !kernel.buffer<?x40xf32>
    } else {
      %9 = arith.subi %arg6, %c3 : index
      %10 = arith.muli %9, %c16 : index
      %cst = arith.constant 0.000000e+00 : f32
      %11 = kernel.splat %cst : f32 -> <8x16xf32>
      %12 = kernel.load_tile %arg3[%10, %c0] : !kernel.buffer<20x96xf32, #kernel.panels<16, 1>> -> <16x48xf32>
      %13 = kernel.mma %6, %12, %11 : <8x48xf32>, <16x48xf32>, <8x16xf32>
      %14 = kernel.load_tile %arg3[%10, %c48] : !kernel.buffer<20x96xf32, #kernel.panels<16, 1>> -> <16x48xf32>
      %15 = kernel.mma %7, %14, %13 : <8x48xf32>, <16x48xf32>, <8x16xf32>
      kernel.store_tile %15, %arg5[%c0, %10] : <8x16xf32>, !kernel.buffer<?x20xf32>
    }
  }
  kernel.return
}

kernel.func @norm(%arg0: !kernel.buffer<?x96xf32>, %arg1: !kernel.buffer<96xbf16>, %arg2: !kernel.buffer<?x96xbf16>, %arg3: !kernel.buffer<?x96xf32>) {
  %0 = kernel.dim %arg2, 0 : <?x96xbf16>
  %c0 = arith.constant 0 : index
  kernel.parallel (%arg4) to (%0) step [1] {
    %1 = kernel.load_tile %arg0[%arg4, %c0] : !kernel.buffer<?x96xf32> -> <1x96xf32>
    %2 = kernel.load_tile %arg1[%c0] : !kernel.buffer<96xbf16> -> <1x96xbf16>
    %3 = kernel.map(%1) : (!kernel.tile<1x96xf32>) -> !kernel.tile<1x96xf32> {
    ^bb0(%arg5: f32):
      %8 = arith.mulf %arg5, %arg5 : f32
      kernel.yield %8 : f32
    }
    %4 = kernel.reduce  sum %3 along 1 : <1x96xf32> -> <1x1xf32>
    %5 = kernel.map(%4) : (!kernel.tile<1x1xf32>) -> !kernel.tile<1x1xf32> {
    ^bb0(%arg5: f32):
      %cst = arith.constant 9.600000e+01 : f32
      %8 = arith.divf %arg5, %cst : f32
      %cst_0 = arith.constant 9.99999974E-6 : f32
      %9 = arith.addf %8, %cst_0 : f32
      %cst_1 = arith.constant 1.000000e+00 : f32
      %10 = math.sqrt %9 : f32
      %11 = arith.divf %cst_1, %10 : f32
      kernel.yield %11 : f32
    }
    %6 = kernel.map(%2, %1, %5) : (!kernel.tile<1x96xbf16>, !kernel.tile<1x96xf32>, !kernel.tile<1x1xf32>) -> !kernel.tile<1x96xf32> {
    ^bb0(%arg5: bf16, %arg6: f32, %arg7: f32):
      %8 = arith.extf %arg5 : bf16 to f32
      %9 = arith.mulf %arg6, %arg7 : f32
      %10 = arith.mulf %9, %8 : f32
      kernel.yield %10 : f32
    }
    %7 = kernel.map(%6) : (!kernel.tile<1x96xf32>) -> !kernel.tile<1x96xbf16> {
    ^bb0(%arg5: f32):
      %8 = arith.truncf %arg5 : f32 to bf16
      kernel.yield %8 : bf16
    }
    kernel.store_tile %7, %arg2[%arg4, %c0] : <1x96xbf16>, !kernel.buffer<?x96xbf16>
    kernel.store_tile %6, %arg3[%arg4, %c0] : <1x96xf32>, !kernel.buffer<?x96xf32>
  }
  kernel.return
}

kernel.func @linear_group(%arg0: !kernel.buffer<?x96xbf16>, %arg1: !kernel.buffer<?x96xf32>, %arg2: !kernel.buffer<40x96xbf16, #kernel.panels<16, 2>>, %arg3: !kernel.buffer<20x96xf32, #kernel.panels<16, 1>>, %arg4: !kernel.buffer<?x40xf32>, %arg5: !kernel.buffer<?x20xf32>) {
  %c5 = arith.constant 5 : index
  %0 = kernel.dim %arg4, 0 : <?x40xf32>
  %c3 = arith.constant 3 : index
  %c16 = arith.constant 16 : index
  %c0 = arith.constant 0 : index
  %c96 = arith.constant 96 : index
  %c48 = arith.constant 48 : index
  kernel.parallel (%arg6, %arg7) to (%c5, %0) step [1, 6] {
    %1 = arith.cmpi slt, %arg6, %c3 : index
    scf.if %1 {
      %2 = arith.muli %arg6, %c16 : index
      %cst = arith.constant 0.000000e+00 : f32
      %3 = kernel.splat %cst : f32 -> <6x16xf32>
      %4 = scf.for %arg8 = %c0 to %c96 step %c48 iter_args(%arg9 = %3) -> (!kernel.tile<6x16xf32>) {
        %5 = kernel.load_tile %arg0[%arg7, %arg8] : !kernel.buffer<?x96xbf16> -> <6x48xbf16>
        %6 = kernel.load_tile %arg2[%2, %arg8] : !kernel.buffer<40x96xbf16, #kernel.panels<16, 2>> -> <16x48xbf16>
        %7 = kernel.mma %5, %6, %arg9 : <6x48xbf16>, <16x48xbf16>, <6x16xf32>
        scf.yield %7 : !kernel.tile<6x16xf32>
      }
      kernel.store_tile %4, %arg4[%arg7, %2] : <6x16xf32>, !kernel.buffer<?x40xf32>
    } else {
      %2 = arith.subi %arg6, %c3 : index
      %3 = arith.muli %2, %c16 : index
      %cst = arith.constant 0.000000e+00 : f32
      %4 = kernel.splat %cst : f32 -> <6x16xf32>
      %5 = scf.for %arg8 = %c0 to %c96 step %c48 iter_args(%arg9 = %4) -> (!kernel.tile<6x16xf32>) {
        %6 = kernel.load_tile %arg1[%arg7, %arg8] : !kernel.buffer<?x96xf32> -> <6x48xf32>
        %7 = kernel.load_tile %arg3[%3, %arg8] : !kernel.buffer<20x96xf32, #kernel.panels<16, 1>> -> <16x48xf32>
        %8 = kernel.mma %6, %7, %arg9 : <6x48xf32>, <16x48xf32>, <6x16xf32>
        scf.yield %8 : !kernel.tile<6x16xf32>
      }
      kernel.store_tile %5, %arg5[%arg7, %3] : <6x16xf32>, !kernel.buffer<?x20xf32>
    }
  }
  kernel.return
}

kernel.func @router(%arg0: !kernel.buffer<?x96xf32>, %arg1: !kernel.buffer<20x96xf32, #kernel.panels<16, 1>>, %arg2: !kernel.buffer<20xf32>, %arg3: !kernel.buffer<?x3xi32>, %arg4: !kernel.buffer<?x3xf32>, %arg5: !kernel.buffer<?x3xi32>, %arg6: !kernel.buffer<?x3xi32>, %arg7: !kernel.buffer<21xi32>, %arg8: !kernel.buffer<21xi32>) {
  %0 = kernel.dim %arg3, 0 : <?x3xi32>
  %c1 = arith.constant 1 : index
  %c0 = arith.constant 0 : index
  kernel.parallel (%arg9) to (%c1) step [1] {
    scf.for %arg10 = %c0 to %0 step %c1 {
      %1 = kernel.load_tile %arg0[%arg10, %c0] : !kernel.buffer<?x96xf32> -> <1x96xf32>
      %2 = kernel.load_tile %arg1[%c0, %c0] : !kernel.buffer<20x96xf32, #kernel.panels<16, 1>> -> <32x96xf32>
      %cst = arith.constant 0.000000e+00 : f32
      %3 = kernel.splat %cst : f32 -> <1x32xf32>
      %4 = kernel.mma %1, %2, %3 : <1x96xf32>, <32x96xf32>, <1x32xf32>
      %5 = kernel.slice %4 from 0 : <1x32xf32> -> <1x20xf32>
      %6 = kernel.map(%5) : (!kernel.tile<1x20xf32>) -> !kernel.tile<1x20xf32> {
      ^bb0(%arg11: f32):
        %cst_0 = arith.constant 1.000000e+00 : f32
        %13 = arith.negf %arg11 : f32
        %14 = math.exp %13 : f32
        %15 = arith.addf %cst_0, %14 : f32
        %16 = arith.divf %cst_0, %15 : f32
        kernel.yield %16 : f32
      }
      %7 = kernel.load_tile %arg2[%c0] : !kernel.buffer<20xf32> -> <1x20xf32>
      %8 = kernel.map(%6, %7) : (!kernel.tile<1x20xf32>, !kernel.tile<1x20xf32>) -> !kernel.tile<1x20xf32> {
      ^bb0(%arg11: f32, %arg12: f32):
        %13 = arith.addf %arg11, %arg12 : f32
        kernel.yield %13 : f32
      }
      %9 = kernel.select_experts %8 groups 4 kept 2 : <1x20xf32> -> <1x3xi32>
      %10 = kernel.take_columns %6, %9 : <1x20xf32>, <1x3xi32> -> <1x3xf32>
      kernel.store_tile %9, %arg3[%arg10, %c0] : <1x3xi32>, !kernel.buffer<?x3xi32>
      %11 = kernel.reduce  sum %10 along 1 : <1x3xf32> -> <1x1xf32>
      %12 = kernel.map(%10, %11) : (!kernel.tile<1x3xf32>, !kernel.tile<1x1xf32>) -> !kernel.tile<1x3xf32> {
      ^bb0(%arg11: f32, %arg12: f32):
        %cst_0 = arith.constant 2.500000e+00 : f32
        %13 = arith.divf %arg11, %arg12 : f32
        %14 = arith.mulf %13, %cst_0 : f32
        kernel.yield %14 : f32
      }
      kernel.store_tile %12, %arg4[%arg10, %c0] : <1x3xf32>, !kernel.buffer<?x3xf32>
    }
    kernel.group_rows %arg3 into %arg5, %arg6, %arg7, %arg8 : <?x3xi32>, <?x3xi32>, <?x3xi32>, <21xi32>, <21xi32>
  }
  kernel.return
}

kernel.func @linear(%arg0: !kernel.buffer<?x96xf32>, %arg1: !kernel.buffer<20x96xf32, #kernel.panels<16, 1>>, %arg2: !kernel.buffer<?x20xf32>) {
  %c20 = arith.constant 20 : index
  %0 = kernel.dim %arg2, 0 : <?x20xf32>
  %c0 = arith.constant 0 : index
  %c96 = arith.constant 96 : index
  %c48 = arith.constant 48 : index
  kernel.parallel (%arg3, %arg4) to (%c20, %0) step [16, 6] {
    %cst = arith.constant 0.000000e+00 : f32
    %1 = kernel.splat %cst : f32 -> <6x16xf32>
    %2 = scf.for %arg5 = %c0 to %c96 step %c48 iter_args(%arg6 = %1) -> (!kernel.tile<6x16xf32>) {
      %3 = kernel.load_tile %arg0[%arg4, %arg5] : !kernel.buffer<?x96xf32> -> <6x48xf32>
      %4 = kernel.load_tile %arg1[%arg3, %arg5] : !kernel.buffer<20x96xf32, #kernel.panels<16, 1>> -> <16x48xf32>
      %5 = kernel.mma %3, %4, %arg6 : <6x48xf32>, <16x48xf32>, <6x16xf32>
      scf.yield %5 : !kernel.tile<6x16xf32>
    }
    kernel.store_tile %2, %arg2[%arg4, %arg3] : <6x16xf32>, !kernel.buffer<?x20xf32>
  }
  kernel.return
}

kernel.func @route(%arg0: !kernel.buffer<?x20xf32>, %arg1: !kernel.buffer<20xf32>, %arg2: !kernel.buffer<?x3xi32>, %arg3: !kernel.buffer<?x3xf32>) {
  %0 = kernel.dim %arg2, 0 : <?x3xi32>
  %c0 = arith.constant 0 : index
  kernel.parallel (%arg4) to (%0) step [1] {
    %1 = kernel.load_tile %arg0[%arg4, %c0] : !kernel.buffer<?x20xf32> -> <1x20xf32>
    %2 = kernel.map(%1) : (!kernel.tile<1x20xf32>) -> !kernel.tile<1x20xf32> {
    ^bb0(%arg5: f32):
      %cst = arith.constant 1.000000e+00 : f32
      %9 = arith.negf %arg5 : f32
      %10 = math.exp %9 : f32
      %11 = arith.addf %cst, %10 : f32
      %12 = arith.divf %cst, %11 : f32
      kernel.yield %12 : f32
    }
    %3 = kernel.load_tile %arg1[%c0] : !kernel.buffer<20xf32> -> <1x20xf32>
    %4 = kernel.map(%2, %3) : (!kernel.tile<1x20xf32>, !kernel.tile<1x20xf32>) -> !kernel.tile<1x20xf32> {
    ^bb0(%arg5: f32, %arg6: f32):
      %9 = arith.addf %arg5, %arg6 : f32
      kernel.yield %9 : f32
    }
    %5 = kernel.select_experts %4 groups 4 kept 2 : <1x20xf32> -> <1x3xi32>
    %6 = kernel.take_columns %2, %5 : <1x20xf32>, <1x3xi32> -> <1x3xf32>
    kernel.store_tile %5, %arg2[%arg4, %c0] : <1x3xi32>, !kernel.buffer<?x3xi32>
    %7 = kernel.reduce  sum %6 along 1 : <1x3xf32> -> <1x1xf32>
    %8 = kernel.map(%6, %7) : (!kernel.tile<1x3xf32>, !kernel.tile<1x1xf32>) -> !kernel.tile<1x3xf32> {
    ^bb0(%arg5: f32, %arg6: f32):
      %cst = arith.constant 2.500000e+00 : f32
      %9 = arith.divf %arg5, %arg6 : f32
      %10 = arith.mulf %9, %cst : f32
      kernel.yield %10 : f32
    }
    kernel.store_tile %8, %arg3[%arg4, %c0] : <1x3xf32>, !kernel.buffer<?x3xf32>
  }
  kernel.return
}

kernel.func @group(%arg0: !kernel.buffer<?x3xi32>, %arg1: !kernel.buffer<?x3xi32>, %arg2: !kernel.buffer<?x3xi32>, %arg3: !kernel.buffer<21xi32>, %arg4: !kernel.buffer<21xi32>) {
  %c1 = arith.constant 1 : index
  kernel.parallel (%arg5) to (%c1) step [1] {
    kernel.group_rows %arg0 into %arg1, %arg2, %arg3, %arg4 : <?x3xi32>, <?x3xi32>, <?x3xi32>, <21xi32>, <21xi32>
  }
  kernel.return
}
