// RUN: memside-opt --linalg-to-decode %s --split-input-file --verify-diagnostics

func.func @convolution(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x4xf32>) -> tensor<1x6x6x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x6x6x4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  // expected-error @+1 {{is a reduction that is neither a sum nor a maximum along one axis}}
  %y = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x8x8x4xf32>, tensor<3x3x4x4xf32>)
      outs(%z : tensor<1x6x6x4xf32>) -> tensor<1x6x6x4xf32>
  return %y : tensor<1x6x6x4xf32>
}

// -----

func.func @batch(%x: tensor<4x64xf32>, %w: tensor<64x64xf32>) -> tensor<4x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  // expected-error @+1 {{multiplies 256 values with a weight of 64 columns; a step is of one request}}
  %y = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x64xf32>)
      outs(%z : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

func.func @sine(%x: tensor<64xf32>) -> tensor<64xf32> {
  %e = tensor.empty() : tensor<64xf32>
  %y = linalg.map ins(%x : tensor<64xf32>) outs(%e : tensor<64xf32>) (%a: f32) {
    // expected-error @+1 {{in linalg is not supported}}
    %b = math.sin %a : f32
    linalg.yield %b : f32
  }
  return %y : tensor<64xf32>
}

// -----

func.func @alone(%x: tensor<64xf32>) -> tensor<64xf32> {
  %e = tensor.empty() : tensor<64xf32>
  // expected-error @+1 {{is no operation of a decode step; those are products with weights and caches}}
  %y = linalg.exp ins(%x : tensor<64xf32>) outs(%e : tensor<64xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// -----

func.func @both(%q: tensor<4x64xf32>, %c: tensor<4x?x64xf32>, %n: index) -> tensor<4x1x64xf32> {
  %zero = arith.constant 0.0 : f32
  %q1 = tensor.expand_shape %q [[0, 1], [2]] output_shape [4, 1, 64]
      : tensor<4x64xf32> into tensor<4x1x64xf32>
  %es = tensor.empty(%n) : tensor<4x1x?xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<4x1x?xf32>) -> tensor<4x1x?xf32>
  %s = linalg.batch_matmul_transpose_b ins(%q1, %c : tensor<4x1x64xf32>, tensor<4x?x64xf32>)
      outs(%zs : tensor<4x1x?xf32>) -> tensor<4x1x?xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<4x1x?xf32>) outs(%es : tensor<4x1x?xf32>)
      -> tensor<4x1x?xf32>
  %e = tensor.empty() : tensor<4x1x64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x1x64xf32>) -> tensor<4x1x64xf32>
  // expected-error @+1 {{takes argument 1 for a cache of values, which is one of keys}}
  %o = linalg.batch_matmul ins(%p, %c : tensor<4x1x?xf32>, tensor<4x?x64xf32>)
      outs(%z : tensor<4x1x64xf32>) -> tensor<4x1x64xf32>
  return %o : tensor<4x1x64xf32>
}

// -----

func.func @masked(%q: tensor<4x1x64xf32>, %k: tensor<4x?x64xf32>, %mask: tensor<1x?xf32>, %n: index)
    -> tensor<4x1x?xf32> {
  %zero = arith.constant 0.0 : f32
  %es = tensor.empty(%n) : tensor<4x1x?xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<4x1x?xf32>) -> tensor<4x1x?xf32>
  %s = linalg.batch_matmul_transpose_b ins(%q, %k : tensor<4x1x64xf32>, tensor<4x?x64xf32>)
      outs(%zs : tensor<4x1x?xf32>) -> tensor<4x1x?xf32>
  // expected-error @+1 {{softmax of scores of cached keys times a number is expected here; a mask is not needed}}
  %m = linalg.generic {indexing_maps = [affine_map<(h, g, t) -> (h, g, t)>,
                                        affine_map<(h, g, t) -> (g, t)>,
                                        affine_map<(h, g, t) -> (h, g, t)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %mask : tensor<4x1x?xf32>, tensor<1x?xf32>) outs(%es : tensor<4x1x?xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %y = arith.addf %a, %b : f32
      linalg.yield %y : f32
  } -> tensor<4x1x?xf32>
  %p = linalg.softmax dimension(2) ins(%m : tensor<4x1x?xf32>) outs(%es : tensor<4x1x?xf32>)
      -> tensor<4x1x?xf32>
  return %p : tensor<4x1x?xf32>
}

// -----

func.func @table() -> tensor<2xf32> {
  // expected-error @+1 {{is a table of numbers; weights must be arguments}}
  %w = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  return %w : tensor<2xf32>
}
