// RUN: memside-opt --linalg-to-decode %s | FileCheck %s
// A gate of GELU by tanh; matrices that are stored [column, row] and biases as the sums' beginning.

// CHECK-LABEL: func.func @ffn(
// CHECK-SAME: %[[X:.*]]: tensor<64xf32, #decode.axes<[channel]>>)
func.func @ffn(%x: tensor<64xf32>, %wg: tensor<96x64xf32>, %wu: tensor<96x64xf32>,
               %wd: tensor<96x64xf32>, %bd: tensor<64xf32>) -> tensor<64xf32> {
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %three = arith.constant 3.0 : f32
  %a = arith.constant 0.044715 : f32
  %b = arith.constant 0.7978845608 : f32
  %e = tensor.empty() : tensor<96xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<96xf32>) -> tensor<96xf32>
  // CHECK-DAG: %[[D:.*]] = decode.weight "arg3" {decode.transposed} : tensor<64x96xf32, #decode.axes<[row, column]>>
  // CHECK-DAG: %[[B:.*]] = decode.weight "arg4" : tensor<64xf32, #decode.axes<[channel]>>
  // CHECK: %[[G:.*]] = decode.linear %[[X]], %{{.*}} -> tensor<96xf32
  // CHECK: %[[U:.*]] = decode.linear %[[X]], %{{.*}} -> tensor<96xf32
  %g = linalg.matvec ins(%wg, %x : tensor<96x64xf32>, tensor<64xf32>) outs(%z : tensor<96xf32>)
      -> tensor<96xf32>
  %u = linalg.matvec ins(%wu, %x : tensor<96x64xf32>, tensor<64xf32>) outs(%z : tensor<96xf32>)
      -> tensor<96xf32>
  // CHECK: %[[F:.*]] = decode.gate %[[G]], %[[U]] <gelu_tanh>
  %f = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>,
                                        affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%g, %u : tensor<96xf32>, tensor<96xf32>) outs(%e : tensor<96xf32>) {
    ^bb0(%c: f32, %d: f32, %o: f32):
      %cube = math.powf %c, %three : f32
      %t1 = arith.mulf %cube, %a : f32
      %t2 = arith.addf %c, %t1 : f32
      %t3 = arith.mulf %t2, %b : f32
      %t4 = math.tanh %t3 : f32
      %t5 = arith.addf %t4, %one : f32
      %t6 = arith.mulf %c, %half : f32
      %t7 = arith.mulf %t6, %t5 : f32
      %y = arith.mulf %t7, %d : f32
      linalg.yield %y : f32
  } -> tensor<96xf32>
  // CHECK: decode.linear %[[F]], %[[D]] bias %[[B]]
  %y = linalg.vecmat ins(%f, %wd : tensor<96xf32>, tensor<96x64xf32>) outs(%bd : tensor<64xf32>)
      -> tensor<64xf32>
  return %y : tensor<64xf32>
}
