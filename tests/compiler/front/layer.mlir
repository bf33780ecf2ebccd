// RUN: memside-opt --linalg-to-decode %s | FileCheck %s
// A layer of a small llama with grouped queries and any context, as exporters write it: projections
// as matmul with weights that are transposed before, norms and gates in several generics.

#id = affine_map<(a, b) -> (a, b)>
#row = affine_map<(a, b) -> (a)>
#last = affine_map<(a, b) -> (b)>
#id3 = affine_map<(a, b, c) -> (a, b, c)>
#front = affine_map<(a, b, c) -> (a, b)>

// CHECK-LABEL: func.func @layer
// CHECK-SAME: %[[X:.*]]: tensor<256xf32, #decode.axes<[channel]>>,
// CHECK-SAME: %[[KEYS:.*]]: !decode.cache<2 x 32, key>,
// CHECK-SAME: %[[VALUES:.*]]: !decode.cache<2 x 32, value>)
// CHECK-SAME: -> (tensor<256xf32, #decode.axes<[channel]>>, !decode.cache<2 x 32, key>, !decode.cache<2 x 32, value>)
func.func @layer(%x: tensor<1x256xf32>, %keys: tensor<2x?x32xf32>, %values: tensor<2x?x32xf32>,
                 %position: index, %tokens: index,
                 %n1: tensor<256xf32> {decode.name = "blk.0.attn_norm.weight"},
                 %wq: tensor<256x256xf32> {decode.name = "blk.0.attn_q.weight"},
                 %wk: tensor<64x256xf32>, %wv: tensor<64x256xf32>, %wo: tensor<256x256xf32>,
                 %bq: tensor<256xf32>,
                 %cos: tensor<32xf32> {decode.theta = 1.0e4 : f32}, %sin: tensor<32xf32>,
                 %n2: tensor<256xf32>, %wg: tensor<512x256xf32>, %wu: tensor<512x256xf32>,
                 %wd: tensor<256x512xf32>)
    -> (tensor<1x256xf32>, tensor<2x?x32xf32>, tensor<2x?x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %values_of_x = arith.constant 2.56e2 : f32
  %eps = arith.constant 1.0e-5 : f32
  %one = arith.constant 1.0 : f32
  %scale = arith.constant 0.17677669 : f32
  %e1 = tensor.empty() : tensor<1xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1xf32>) -> tensor<1xf32>
  %e256 = tensor.empty() : tensor<1x256xf32>
  %z256 = linalg.fill ins(%zero : f32) outs(%e256 : tensor<1x256xf32>) -> tensor<1x256xf32>
  %e64 = tensor.empty() : tensor<1x64xf32>
  %z64 = linalg.fill ins(%zero : f32) outs(%e64 : tensor<1x64xf32>) -> tensor<1x64xf32>
  %e512 = tensor.empty() : tensor<1x512xf32>
  %z512 = linalg.fill ins(%zero : f32) outs(%e512 : tensor<1x512xf32>) -> tensor<1x512xf32>

  // The norm of the input, in three steps.
  // CHECK-DAG: %[[N1:.*]] = decode.weight "blk.0.attn_norm.weight"
  // CHECK-DAG: %[[WQ:.*]] = decode.weight "blk.0.attn_q.weight" : tensor<256x256xf32, #decode.axes<[row, column]>>
  // CHECK: %[[H:.*]] = decode.rms_norm %[[X]], %[[N1]] {eps = 9.99999974E-6 : f32, op_type = #decode.op_type<norm>}
  %squares = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<1x256xf32>) outs(%z1 : tensor<1xf32>) {
    ^bb0(%a: f32, %b: f32):
      %s = arith.mulf %a, %a : f32
      %t = arith.addf %b, %s : f32
      linalg.yield %t : f32
  } -> tensor<1xf32>
  %root = linalg.generic {indexing_maps = [affine_map<(a) -> (a)>, affine_map<(a) -> (a)>],
                          iterator_types = ["parallel"]}
      ins(%squares : tensor<1xf32>) outs(%e1 : tensor<1xf32>) {
    ^bb0(%a: f32, %b: f32):
      %m = arith.divf %a, %values_of_x : f32
      %v = arith.addf %m, %eps : f32
      %r = math.rsqrt %v : f32
      linalg.yield %r : f32
  } -> tensor<1xf32>
  %h = linalg.generic {indexing_maps = [#id, #row, #last, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %root, %n1 : tensor<1x256xf32>, tensor<1xf32>, tensor<256xf32>)
      outs(%e256 : tensor<1x256xf32>) {
    ^bb0(%a: f32, %r: f32, %w: f32, %o: f32):
      %n = arith.mulf %a, %r : f32
      %y = arith.mulf %n, %w : f32
      linalg.yield %y : f32
  } -> tensor<1x256xf32>

  // CHECK: %[[Q:.*]] = decode.linear %[[H]], %[[WQ]] bias %{{.*}} {op_type = #decode.op_type<gemv>} : {{.*}} -> tensor<8x32xf32, #decode.axes<[head, channel]>>
  %wq_t_init = tensor.empty() : tensor<256x256xf32>
  %wq_t = linalg.transpose ins(%wq : tensor<256x256xf32>) outs(%wq_t_init : tensor<256x256xf32>)
      permutation = [1, 0]
  %q0 = linalg.matmul ins(%h, %wq_t : tensor<1x256xf32>, tensor<256x256xf32>)
                      outs(%z256 : tensor<1x256xf32>) -> tensor<1x256xf32>
  %q1 = linalg.generic {indexing_maps = [#id, #last, #id], iterator_types = ["parallel", "parallel"]}
      ins(%q0, %bq : tensor<1x256xf32>, tensor<256xf32>) outs(%e256 : tensor<1x256xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %y = arith.addf %a, %b : f32
      linalg.yield %y : f32
  } -> tensor<1x256xf32>
  %q2 = tensor.expand_shape %q1 [[0], [1, 2]] output_shape [1, 8, 32]
      : tensor<1x256xf32> into tensor<1x8x32xf32>
  %q = tensor.collapse_shape %q2 [[0, 1], [2]] : tensor<1x8x32xf32> into tensor<8x32xf32>

  // Rotation of the queries, in halves.
  // CHECK: %[[KEYS1:.*]] = decode.append %[[KEYS]], %{{.*}} {op_type = #decode.op_type<append>}
  // CHECK: %[[R:.*]] = decode.rope %[[Q]] {op_type = #decode.op_type<rope>, theta = 1.000000e+04 : f32}
  %low = tensor.extract_slice %q[0, 0] [8, 16] [1, 1] : tensor<8x32xf32> to tensor<8x16xf32>
  %high = tensor.extract_slice %q[0, 16] [8, 16] [1, 1] : tensor<8x32xf32> to tensor<8x16xf32>
  %e816 = tensor.empty() : tensor<8x16xf32>
  %minus = linalg.negf ins(%high : tensor<8x16xf32>) outs(%e816 : tensor<8x16xf32>)
      -> tensor<8x16xf32>
  %turned = tensor.concat dim(1) %minus, %low
      : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x32xf32>
  %e832 = tensor.empty() : tensor<8x32xf32>
  %r = linalg.generic {indexing_maps = [#id, #id, #last, #last, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%q, %turned, %cos, %sin : tensor<8x32xf32>, tensor<8x32xf32>, tensor<32xf32>, tensor<32xf32>)
      outs(%e832 : tensor<8x32xf32>) {
    ^bb0(%a: f32, %t: f32, %c: f32, %s: f32, %o: f32):
      %p = arith.mulf %a, %c : f32
      %u = arith.mulf %t, %s : f32
      %y = arith.addf %p, %u : f32
      linalg.yield %y : f32
  } -> tensor<8x32xf32>

  // Keys and values of the new token go into the caches.
  %k0 = linalg.matmul_transpose_b ins(%h, %wk : tensor<1x256xf32>, tensor<64x256xf32>)
                                  outs(%z64 : tensor<1x64xf32>) -> tensor<1x64xf32>
  %k = tensor.expand_shape %k0 [[0], [1, 2]] output_shape [1, 2, 32]
      : tensor<1x64xf32> into tensor<1x2x32xf32>
  %k_head = tensor.collapse_shape %k [[0, 1], [2]] : tensor<1x2x32xf32> into tensor<2x32xf32>
  %k_one = tensor.expand_shape %k_head [[0, 1], [2]] output_shape [2, 1, 32]
      : tensor<2x32xf32> into tensor<2x1x32xf32>
  %keys1 = tensor.insert_slice %k_one into %keys[0, %position, 0] [2, 1, 32] [1, 1, 1]
      : tensor<2x1x32xf32> into tensor<2x?x32xf32>
  %v0 = linalg.matmul_transpose_b ins(%h, %wv : tensor<1x256xf32>, tensor<64x256xf32>)
                                  outs(%z64 : tensor<1x64xf32>) -> tensor<1x64xf32>
  %v1 = tensor.collapse_shape %v0 [[0, 1]] : tensor<1x64xf32> into tensor<64xf32>
  %v_one = tensor.expand_shape %v1 [[0, 1, 2]] output_shape [2, 1, 32]
      : tensor<64xf32> into tensor<2x1x32xf32>
  %values1 = tensor.insert_slice %v_one into %values[0, %position, 0] [2, 1, 32] [1, 1, 1]
      : tensor<2x1x32xf32> into tensor<2x?x32xf32>

  // Attention of four queries for each KV head; softmax is taken apart.
  // CHECK: %[[S:.*]] = decode.qk %[[R]], %[[KEYS1]] {op_type = #decode.op_type<qkt>} : {{.*}} -> tensor<8x?xf32, #decode.axes<[head, token]>>
  %q4 = tensor.expand_shape %r [[0, 1], [2]] output_shape [2, 4, 32]
      : tensor<8x32xf32> into tensor<2x4x32xf32>
  %es = tensor.empty(%tokens) : tensor<2x4x?xf32>
  %zs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x4x?xf32>) -> tensor<2x4x?xf32>
  %s = linalg.batch_matmul_transpose_b ins(%q4, %keys1 : tensor<2x4x32xf32>, tensor<2x?x32xf32>)
                                       outs(%zs : tensor<2x4x?xf32>) -> tensor<2x4x?xf32>
  // CHECK: %[[VALUES1:.*]] = decode.append %[[VALUES]], %{{.*}}
  // CHECK: %[[W:.*]] = decode.softmax %[[S]] {op_type = #decode.op_type<softmax>, scale = 0.176776692 : f32}
  %scaled = linalg.generic {indexing_maps = [#id3, #id3],
                            iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x?xf32>) outs(%es : tensor<2x4x?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %y = arith.mulf %a, %scale : f32
      linalg.yield %y : f32
  } -> tensor<2x4x?xf32>
  %e24 = tensor.empty() : tensor<2x4xf32>
  %least24 = linalg.fill ins(%least : f32) outs(%e24 : tensor<2x4xf32>) -> tensor<2x4xf32>
  %top = linalg.reduce ins(%scaled : tensor<2x4x?xf32>) outs(%least24 : tensor<2x4xf32>)
      dimensions = [2] (%a: f32, %b: f32) {
        %y = arith.maximumf %a, %b : f32
        linalg.yield %y : f32
      }
  %weight = linalg.generic {indexing_maps = [#id3, #front, #id3],
                            iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scaled, %top : tensor<2x4x?xf32>, tensor<2x4xf32>) outs(%es : tensor<2x4x?xf32>) {
    ^bb0(%a: f32, %m: f32, %o: f32):
      %d = arith.subf %a, %m : f32
      %y = math.exp %d : f32
      linalg.yield %y : f32
  } -> tensor<2x4x?xf32>
  %zero24 = linalg.fill ins(%zero : f32) outs(%e24 : tensor<2x4xf32>) -> tensor<2x4xf32>
  %total = linalg.reduce ins(%weight : tensor<2x4x?xf32>) outs(%zero24 : tensor<2x4xf32>)
      dimensions = [2] (%a: f32, %b: f32) {
        %y = arith.addf %a, %b : f32
        linalg.yield %y : f32
      }
  %p = linalg.generic {indexing_maps = [#id3, #front, #id3],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%weight, %total : tensor<2x4x?xf32>, tensor<2x4xf32>) outs(%es : tensor<2x4x?xf32>) {
    ^bb0(%a: f32, %t: f32, %o: f32):
      %y = arith.divf %a, %t : f32
      linalg.yield %y : f32
  } -> tensor<2x4x?xf32>
  // CHECK: %[[O:.*]] = decode.sv %[[W]], %[[VALUES1]] {op_type = #decode.op_type<sv>} : {{.*}} -> tensor<8x32xf32, #decode.axes<[head, channel]>>
  %e2432 = tensor.empty() : tensor<2x4x32xf32>
  %z2432 = linalg.fill ins(%zero : f32) outs(%e2432 : tensor<2x4x32xf32>) -> tensor<2x4x32xf32>
  %o = linalg.batch_matmul ins(%p, %values1 : tensor<2x4x?xf32>, tensor<2x?x32xf32>)
                           outs(%z2432 : tensor<2x4x32xf32>) -> tensor<2x4x32xf32>
  %o1 = tensor.collapse_shape %o [[0, 1, 2]] : tensor<2x4x32xf32> into tensor<256xf32>
  %o2 = tensor.expand_shape %o1 [[0, 1]] output_shape [1, 256]
      : tensor<256xf32> into tensor<1x256xf32>
  // CHECK: %[[A:.*]] = decode.linear %[[O]], %{{.*}} -> tensor<256xf32, #decode.axes<[channel]>>
  %a0 = linalg.matmul_transpose_b ins(%o2, %wo : tensor<1x256xf32>, tensor<256x256xf32>)
                                  outs(%z256 : tensor<1x256xf32>) -> tensor<1x256xf32>
  // CHECK: %[[Y:.*]] = decode.add %[[X]], %[[A]]
  %y = linalg.add ins(%x, %a0 : tensor<1x256xf32>, tensor<1x256xf32>)
                  outs(%e256 : tensor<1x256xf32>) -> tensor<1x256xf32>

  // The norm before the FFN, as one generic after the sum of squares.
  // CHECK: %[[M:.*]] = decode.rms_norm %[[Y]], %{{.*}} {eps = 9.99999974E-6 : f32, op_type = #decode.op_type<norm>, unit_offset}
  %squares2 = linalg.generic {indexing_maps = [#id, #row],
                              iterator_types = ["parallel", "reduction"]}
      ins(%y : tensor<1x256xf32>) outs(%z1 : tensor<1xf32>) {
    ^bb0(%a: f32, %b: f32):
      %t = arith.mulf %a, %a : f32
      %u = arith.addf %t, %b : f32
      linalg.yield %u : f32
  } -> tensor<1xf32>
  %m = linalg.generic {indexing_maps = [#id, #row, #last, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%y, %squares2, %n2 : tensor<1x256xf32>, tensor<1xf32>, tensor<256xf32>)
      outs(%e256 : tensor<1x256xf32>) {
    ^bb0(%a: f32, %t: f32, %w: f32, %u: f32):
      %mean = arith.divf %t, %values_of_x : f32
      %v = arith.addf %mean, %eps : f32
      %d = math.sqrt %v : f32
      %n = arith.divf %a, %d : f32
      %f = arith.addf %w, %one : f32
      %b = arith.mulf %n, %f : f32
      linalg.yield %b : f32
  } -> tensor<1x256xf32>
  %g = linalg.matmul_transpose_b ins(%m, %wg : tensor<1x256xf32>, tensor<512x256xf32>)
                                 outs(%z512 : tensor<1x512xf32>) -> tensor<1x512xf32>
  %u = linalg.matmul_transpose_b ins(%m, %wu : tensor<1x256xf32>, tensor<512x256xf32>)
                                 outs(%z512 : tensor<1x512xf32>) -> tensor<1x512xf32>
  // CHECK: decode.gate %{{.*}}, %{{.*}} <silu> {op_type = #decode.op_type<gate>}
  %f = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g, %u : tensor<1x512xf32>, tensor<1x512xf32>) outs(%e512 : tensor<1x512xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %minus_a = arith.negf %a : f32
      %e = math.exp %minus_a : f32
      %d = arith.addf %e, %one : f32
      %sigmoid = arith.divf %one, %d : f32
      %silu = arith.mulf %a, %sigmoid : f32
      %w = arith.mulf %silu, %b : f32
      linalg.yield %w : f32
  } -> tensor<1x512xf32>
  %d = linalg.matmul_transpose_b ins(%f, %wd : tensor<1x512xf32>, tensor<256x512xf32>)
                                 outs(%z256 : tensor<1x256xf32>) -> tensor<1x256xf32>
  // CHECK: %[[RESULT:.*]] = decode.add %[[Y]], %{{.*}}
  %result = linalg.add ins(%y, %d : tensor<1x256xf32>, tensor<1x256xf32>)
                       outs(%e256 : tensor<1x256xf32>) -> tensor<1x256xf32>
  // CHECK: return %[[RESULT]], %[[KEYS1]], %[[VALUES1]]
  return %result, %keys1, %values1 : tensor<1x256xf32>, tensor<2x?x32xf32>, tensor<2x?x32xf32>
}
