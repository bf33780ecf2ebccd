// RUN: memside-opt %s -split-input-file -pim-unroll-static=context=1100 -verify-diagnostics | FileCheck %s

// 1,100 tokens in pieces of 512: three, the last of 76, which takes 5 tiles of 16.
// CHECK: max_tokens = 1100
// CHECK-LABEL: pim.entry @e
// CHECK-NOT: pim.dyn_loop
// CHECK: pim.hub.softmax_block {{.*}}queries = 1 : i64, state = 0 : i64, tokens = 512 : i64
// CHECK: pim.mac_abk row %c7 col %c0 {{.*}} opsize 32
// CHECK: pim.hub.softmax_block {{.*}}first_token = 512 : i64, {{.*}}tokens = 512 : i64
// CHECK: pim.mac_abk row %c8 {{.*}} opsize 32
// CHECK: pim.hub.softmax_block {{.*}}first_token = 1024 : i64, {{.*}}tokens = 76 : i64
// CHECK: pim.mac_abk row %c9 {{.*}} opsize 5
// CHECK-NOT: pim.mac_abk
pim.program @p model "m" target "t" {
  pim.region @values rows 3 at 7
  pim.entry @e op_type <sv> partitioning <token> communication <none> attributes {channel_mask = 4294967295 : i64} {
    %0 = arith.constant 0 : index
    pim.dyn_loop %i span 512 {
      pim.hub.softmax_block gpr %0 out %0 {queries = 1 : i64, state = 0 : i64}
      %row = pim.dyn_modi 0 + %i * 1 in @values
      pim.mac_abk row %row col %0 gb %0 out %0 mask 4294967295 opsize 1 per 16
    }
  }
}

// -----

pim.program @p model "m" target "t" {
  pim.region @values per_request
  pim.entry @e op_type <sv> partitioning <token> communication <none> attributes {channel_mask = 4294967295 : i64} {
    %0 = arith.constant 0 : index
    %row = pim.dyn_modi 0 in @values
    // expected-error @below {{which have no static address}}
    pim.mac_abk row %row col %0 gb %0 out %0 mask 4294967295 opsize 1
  }
}
