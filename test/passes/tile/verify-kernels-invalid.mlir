// RUN: glm-opt %s --glm-verify-kernels --split-input-file --verify-diagnostics

// expected-error @+1 {{[GLM0401]: step: takes tensor<?x64xf32>, not memory; run the tile pipeline on the module}}
func.func @step(%x: tensor<?x64xf32>) attributes {glm.entry} {
  return
}

// -----

kernel.func @copy(%x: !kernel.buffer<?x64xf32>, %y: !kernel.buffer<?x64xf32>)
    attributes {schedule = #kernel.schedule<m = 1, n = 1, k = 0>} {
  kernel.return
}
// Dimensions may be split otherwise, elements may not differ.
func.func @step(%x: !kernel.buffer<?x4x16xf32>, %b: !kernel.buffer<?x64xbf16>, %y: !kernel.buffer<?x64xf32>,
                %z: !kernel.buffer<?x64xf32>) {
  kernel.launch @copy(%x) outs(%y : !kernel.buffer<?x64xf32>) : (!kernel.buffer<?x4x16xf32>) -> ()
  // expected-error @+1 {{[GLM0401]: copy: is given !kernel.buffer<?x64xbf16> as argument 0, expected !kernel.buffer<?x64xf32>; run the tile pipeline on the module}}
  kernel.launch @copy(%b) outs(%z : !kernel.buffer<?x64xf32>) : (!kernel.buffer<?x64xbf16>) -> ()
  return
}

// -----

kernel.func @copy(%x: !kernel.buffer<?x64xf32>, %y: !kernel.buffer<?x64xf32>)
    attributes {schedule = #kernel.schedule<m = 1, n = 1, k = 0>} {
  kernel.return
}
func.func @step(%x: !kernel.buffer<?x64xf32>, %y: !kernel.buffer<?x64xf32>) {
  kernel.launch @copy(%x) outs(%y : !kernel.buffer<?x64xf32>) : (!kernel.buffer<?x64xf32>) -> ()
  // expected-error @+1 {{[GLM0401]: copy: writes a buffer that was written before; run the tile pipeline on the module}}
  kernel.launch @copy(%x) outs(%y : !kernel.buffer<?x64xf32>) : (!kernel.buffer<?x64xf32>) -> ()
  return
}

// -----

kernel.func @copy(%x: !kernel.buffer<?x64xf32>, %y: !kernel.buffer<?x64xf32>)
    attributes {schedule = #kernel.schedule<m = 1, n = 1, k = 0>} {
  kernel.return
}
func.func @step(%y: !kernel.buffer<?x64xf32>) {
  %x = program.buffer dim "rows" : !kernel.buffer<?x64xf32>
  // expected-error @+1 {{[GLM0401]: copy: reads a buffer that nobody wrote; run the tile pipeline on the module}}
  kernel.launch @copy(%x) outs(%y : !kernel.buffer<?x64xf32>) : (!kernel.buffer<?x64xf32>) -> ()
  return
}

// -----

// expected-error @+1 {{[GLM0401]: copy: is never launched; run the tile pipeline on the module}}
kernel.func @copy(%x: !kernel.buffer<?x64xf32>, %y: !kernel.buffer<?x64xf32>)
    attributes {schedule = #kernel.schedule<m = 1, n = 1, k = 0>} {
  kernel.return
}

// -----

// expected-error @+1 {{[GLM0401]: copy: has no schedule; run the tile pipeline on the module}}
kernel.func @copy(%x: !kernel.buffer<?x64xf32>, %y: !kernel.buffer<?x64xf32>) {
  kernel.return
}
