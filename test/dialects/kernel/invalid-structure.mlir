// RUN: glm-opt %s --split-input-file --verify-diagnostics
// One case for each rule of StructureOps.td.

// func C1: memory or integer scalars.
// expected-error @below {{'kernel.func' op argument 0 is 'f32', expected a buffer, bank, cache, index or i32}}
kernel.func @f(%x: f32) {
  kernel.return
}

// -----
// func C1: no results.
// expected-error @below {{'kernel.func' op returns 1 values, but a kernel writes its results to memory}}
kernel.func @f(%x: index) -> index {
  kernel.return
}

// -----
// func C2: the grid is last.
kernel.func @f(%x: index) {
  // expected-error @below {{'kernel.parallel' op must be the last op before kernel.return}}
  kernel.parallel (%i) to (%x) step [1] {
  }
  %c = arith.constant 0 : index
  kernel.return
}

// -----
// parallel C1: as many steps as bounds.
kernel.func @f(%x: index) {
  // expected-error @below {{'kernel.parallel' op has 1 bounds and 2 steps, expected as many of both and at least one}}
  kernel.parallel (%i) to (%x) step [1, 2] {
  }
  kernel.return
}

// -----
// parallel C1: positive steps.
kernel.func @f(%x: index) {
  // expected-error @below {{'kernel.parallel' op steps must be positive, found 0}}
  kernel.parallel (%i) to (%x) step [0] {
  }
  kernel.return
}

// -----
// parallel C1: one unit number for each bound.
kernel.func @f(%x: index) {
  // expected-error @below {{'kernel.parallel' op the region takes ('index', 'index'), expected ('index')}}
  kernel.parallel (%i, %j) to (%x) step [1] {
  }
  kernel.return
}

// -----
// launch C1: a kernel of that name.
func.func @host(%x: !kernel.buffer<?x4xf32>) {
  // expected-error @below {{'kernel.launch' op @nobody is not a kernel.func}}
  kernel.launch @nobody(%x) : (!kernel.buffer<?x4xf32>) -> ()
  func.return
}

// -----
// launch C1: as many operands and results as arguments.
kernel.func @f(%x: !kernel.buffer<?x4xf32>, %y: !kernel.buffer<?x4xf32>) {
  kernel.return
}
func.func @host(%x: !kernel.buffer<?x4xf32>) {
  // expected-error @below {{'kernel.launch' op has 1 operands and results, but @f has 2 arguments}}
  kernel.launch @f(%x) : (!kernel.buffer<?x4xf32>) -> ()
  func.return
}

// -----
// launch C1: on values there is a result for what is updated.
kernel.func @f(%x: !kernel.buffer<?x4xf32> {kernel.updated}, %y: !kernel.buffer<?x4xf32>) {
  kernel.return
}
func.func @host(%x: tensor<?x4xf32>) {
  // expected-error @below {{'kernel.launch' op has 1 operands and results, but @f has 2 arguments}}
  %y = kernel.launch @f(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  func.return
}

// -----
// group C1: the region yields the results.
func.func @host() {
  // expected-error @below {{'kernel.group' op the region yields ('index'), expected ('i32')}}
  %0 = kernel.group "rows" -> (i32) {
    %c = arith.constant 0 : index
    kernel.yield %c : index
  }
  func.return
}

// -----
// by_rows C1: bound is positive.
func.func @host() {
  // expected-error @below {{'kernel.by_rows' op bound must be positive, found 0}}
  kernel.by_rows less 0 {
    kernel.yield
  } otherwise {
    kernel.yield
  }
  func.return
}

// -----
// by_rows C1: both regions yield the results.
func.func @host() {
  // expected-error @below {{'kernel.by_rows' op the region yields ('index'), expected ('i32')}}
  %0 = kernel.by_rows less 9 -> (i32) {
    %c = arith.constant 0 : i32
    kernel.yield %c : i32
  } otherwise {
    %c = arith.constant 0 : index
    kernel.yield %c : index
  }
  func.return
}
