// RUN: memside-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{unknown axis 'heads'; batch, head, token, page, channel, row or column}}
func.func private @axis(tensor<4xf32, #decode.axes<[heads]>>)

// -----

// expected-error @+1 {{a tensor of 2 dimensions has 1 named axes; name each dimension once}}
func.func private @rank(tensor<4x4xf32, #decode.axes<[head]>>)

// -----

// expected-error @+1 {{two axes are named 'head'}}
func.func private @twice(tensor<4x4xf32, #decode.axes<[head, head]>>)

// -----

// expected-error @+1 {{a cache of 0 KV heads x 128 values; both must be 1 or more}}
func.func private @cache(!decode.cache<0 x 128, key>)

// -----

func.func @unnamed(%x: tensor<4xf32>) {
  // expected-error @+1 {{must be a ranked tensor of floats or i32 with named axes}}
  %y = decode.add %x, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

!x = tensor<64xbf16, #decode.axes<[channel]>>
!w = tensor<128x65xbf16, #decode.axes<[row, column]>>
func.func @columns(%x: !x, %w: !w) {
  // expected-error @+1 {{the number of values of x is 64, but the weight's number of columns is 65}}
  %y = decode.linear %x, %w : !x, !w -> tensor<128xbf16, #decode.axes<[channel]>>
  return
}

// -----

!x = tensor<64xbf16, #decode.axes<[channel]>>
!w = tensor<128x64xbf16, #decode.axes<[row, column]>>
func.func @rows(%x: !x, %w: !w) {
  // expected-error @+1 {{the number of values of the result is 112, but the weight's number of rows is 128}}
  %y = decode.linear %x, %w : !x, !w -> tensor<7x16xbf16, #decode.axes<[head, channel]>>
  return
}

// -----

!x = tensor<64xbf16, #decode.axes<[channel]>>
!w = tensor<128x64xbf16, #decode.axes<[head, channel]>>
func.func @weight(%x: !x, %w: !w) {
  // expected-error @+1 {{weight must have the axes [row, column], and has [head, channel]}}
  %y = decode.linear %x, %w : !x, !w -> tensor<128xbf16, #decode.axes<[channel]>>
  return
}

// -----

func.func @batch(%x: tensor<3x64xbf16, #decode.axes<[batch, channel]>>,
                 %w: tensor<128x64xbf16, #decode.axes<[row, column]>>) {
  // expected-error @+1 {{one of operand and result has the axis batch}}
  %y = decode.linear %x, %w : tensor<3x64xbf16, #decode.axes<[batch, channel]>>,
    tensor<128x64xbf16, #decode.axes<[row, column]>> -> tensor<128xbf16, #decode.axes<[channel]>>
  return
}

// -----

!q = tensor<32x128xbf16, #decode.axes<[head, channel]>>
func.func @kind(%q: !q, %v: !decode.cache<8 x 128, value>) {
  // expected-error @+1 {{needs a cache of keys, not '!decode.cache<8 x 128, value>'}}
  %s = decode.qk %q, %v : !q, !decode.cache<8 x 128, value>
    -> tensor<32x?xbf16, #decode.axes<[head, token]>>
  return
}

// -----

!q = tensor<30x128xbf16, #decode.axes<[head, channel]>>
func.func @group(%q: !q, %k: !decode.cache<8 x 128, key>) {
  // expected-error @+1 {{30 query heads are no multiple of the 8 KV heads}}
  %s = decode.qk %q, %k : !q, !decode.cache<8 x 128, key>
    -> tensor<30x?xbf16, #decode.axes<[head, token]>>
  return
}

// -----

!q = tensor<32x96xbf16, #decode.axes<[head, channel]>>
func.func @head_dim(%q: !q, %k: !decode.cache<8 x 128, key>) {
  // expected-error @+1 {{query's vector is 96, but the cache's head dimension is 128}}
  %s = decode.qk %q, %k : !q, !decode.cache<8 x 128, key>
    -> tensor<32x?xbf16, #decode.axes<[head, token]>>
  return
}

// -----

!s = tensor<32x?xbf16, #decode.axes<[head, token]>>
func.func @window(%s: !s) {
  // expected-error @+1 {{window -1 is negative; 0 sees all tokens}}
  %w = decode.softmax %s {scale = 1.0 : f32, window = -1 : i64} : !s -> !s
  return
}

// -----

!q = tensor<32x128xbf16, #decode.axes<[head, channel]>>
!k = !decode.cache<8 x 128, key>
!v = !decode.cache<8 x 128, value>
func.func @pages(%q: !q, %k: !k, %v: !v) {
  // expected-error @+1 {{page_tokens are those of selected pages: give pages as well}}
  %o = decode.attention %q, %k, %v {scale = 1.0 : f32, page_tokens = 32 : i64} : !q, !k, !v -> !q
  return
}

// -----

!q = tensor<3x127xbf16, #decode.axes<[head, channel]>>
func.func @odd(%q: !q) {
  // expected-error @+1 {{rotates pairs of channels, and there are 127}}
  %r = decode.rope %q {theta = 1.0e4 : f32} : !q -> !q
  return
}

// -----

!s = tensor<8x?xbf16, #decode.axes<[head, page]>>
func.func @top(%s: !s) {
  // expected-error @+1 {{the result's number of pages is 32, but k is 64}}
  %t = decode.top_k %s {k = 64 : i64} : !s -> tensor<8x32xi32, #decode.axes<[head, page]>>
  return
}

// -----

!k = !decode.cache<8 x 128, key>
!x = tensor<4x128xbf16, #decode.axes<[head, channel]>>
func.func @append(%k: !k, %x: !x) {
  // expected-error @+1 {{the number of heads of x is 4, but the cache's number of KV heads is 8}}
  %n = decode.append %k, %x : !k, !x -> !k
  return
}

// -----

!x = tensor<2x64xbf16, #decode.axes<[head, channel]>>
!w = tensor<2xbf16, #decode.axes<[channel]>>
func.func @norm(%x: !x, %w: !w) {
  // expected-error @+1 {{the number of weights is 2, but the number of channels is 64}}
  %n = decode.rms_norm %x, %w {eps = 1.0e-6 : f32} : !x, !w -> !x
  return
}

// -----

func.func @values() {
  // expected-error @+1 {{the number of values}}
  %f = decode.weight "f" {values = array<f32: 1., 2.>} : tensor<4xf32, #decode.axes<[channel]>>
  return
}
