// RUN: glm-opt %s --verify-diagnostics --split-input-file

// entry C1
program.entry @step {
  %h = program.buffer : !kernel.buffer<64xf32>
  program.port input "h" %h : !kernel.buffer<64xf32>
  program.port output "h" %h : !kernel.buffer<64xf32>
  // expected-error @below {{'program.port' op is the second input called "h"}}
  program.port input "h" %h : !kernel.buffer<64xf32>
}

// -----

// launch C1
program.entry @step {
  // expected-error @below {{'program.launch' op there is no kernel @k}}
  program.launch @k() label "" on @host
}

// -----

// launch C1
kernel.func @k(%x: !kernel.buffer<64xf32>) {
  kernel.return
}
program.entry @step {
  // expected-error @below {{'program.launch' op passes 0 arguments to @k, which has 1}}
  program.launch @k() label "" on @host
}

// -----

// launch C1
kernel.func @k(%x: !kernel.buffer<?x4x32xf32>) {
  kernel.return
}
program.entry @step {
  %h = program.buffer dim "rows" : !kernel.buffer<?x128xf32>
  %g = program.buffer dim "rows" : !kernel.buffer<?x64xf32>
  program.launch @k(%h) label "" on @host : !kernel.buffer<?x128xf32>
  // expected-error @below {{'program.launch' op passes '!kernel.buffer<?x64xf32>' as argument 0 of @k, which is '!kernel.buffer<?x4x32xf32>'}}
  program.launch @k(%g) label "" on @host : !kernel.buffer<?x64xf32>
}

// -----

// collective C1
program.entry @step {
  %h = program.buffer : !kernel.buffer<64xf32>
  // expected-error @below {{'program.collective' op is of kind 3, which is none of 0, 1 and 2}}
  program.collective 3 %h to %h count <64> among @c : !kernel.buffer<64xf32>, !kernel.buffer<64xf32>
}

// -----

// Commands stand in entries and branches only.
func.func @f() {
  // expected-error @below {{'program.barrier' op expects parent op to be one of 'program.entry, program.branch'}}
  program.barrier @host
  return
}

// -----

// branch C1
kernel.func @k(%x: !kernel.buffer<64xf32>) {
  // expected-error @below {{'program.branch' op stands in a function on memory, an entry or another branch, not in kernel.func}}
  program.branch <rows> less <1> {
  } otherwise {
  }
  kernel.return
}

// -----

// branch C2
func.func private @layer(!kernel.buffer<64xf32>) -> !kernel.buffer<64xf32>
func.func @f(%h: !kernel.buffer<64xf32>) {
  program.branch <rows> less <1> {
  } otherwise {
    // expected-error @below {{'func.call' op stands in a branch, which holds commands and calls without results}}
    %y = func.call @layer(%h) : (!kernel.buffer<64xf32>) -> !kernel.buffer<64xf32>
  }
  return
}

// -----

// branch C3
program.entry @step {
  program.branch <rows> less <1> {
    // expected-error @below {{'program.buffer' op stands in a branch; memory of an entry is named at its head}}
    %h = program.buffer : !kernel.buffer<64xf32>
  } otherwise {
  }
}
