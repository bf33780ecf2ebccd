// RUN: memside-opt %s -pim-order-commands | FileCheck %s

// CHECK-LABEL: pim.entry @scores
// Every iteration has an accumulator of its own: three runs.
// CHECK: pim.loop
// CHECK-NEXT: pim.dyn_modi
// CHECK-NEXT: pim.wr_bias
// CHECK-NEXT: }
// CHECK-NEXT: pim.loop
// CHECK: pim.mac_abk
// CHECK-NEXT: }
// CHECK-NEXT: pim.loop
// CHECK: pim.rd_mac
// CHECK-NEXT: }
pim.program @p model "m" target "t" {
  pim.entry @scores op_type <qkt> partitioning <token> communication <none> attributes {channel_mask = 4294967295 : i64} {
    %0 = arith.constant 0 : index
    pim.loop %i count 8 {
      %out = pim.dyn_modi 0 + %i * 1
      pim.wr_bias gpr %0 out %out mask 4294967295
      %col = pim.dyn_modi 0 + %i * 8
      pim.mac_abk row %0 col %col gb %0 out %out mask 4294967295 opsize 8
      %gpr = pim.dyn_modi 1 + %i * 32
      pim.rd_mac gpr %gpr out %out mask 4294967295
    }
  }
  // CHECK-LABEL: pim.entry @one_accumulator
  // CHECK: pim.loop
  // CHECK-NEXT: pim.wr_bias
  // CHECK: pim.rd_mac
  // CHECK-NEXT: }
  // CHECK-NEXT: }
  pim.entry @one_accumulator op_type <qkt> partitioning <token> communication <none> attributes {channel_mask = 4294967295 : i64} {
    %0 = arith.constant 0 : index
    pim.loop %i count 8 {
      pim.wr_bias gpr %0 out %0 mask 4294967295
      pim.mac_abk row %0 col %0 gb %0 out %0 mask 4294967295 opsize 8
      %gpr = pim.dyn_modi 1 + %i * 32
      pim.rd_mac gpr %gpr out %0 mask 4294967295
    }
  }
  // The result of one iteration is the bias of the next.
  // CHECK-LABEL: pim.entry @carried
  // CHECK: pim.wr_bias
  // CHECK: pim.mac_abk
  pim.entry @carried op_type <qkt> partitioning <token> communication <none> attributes {channel_mask = 4294967295 : i64} {
    %0 = arith.constant 0 : index
    // CHECK: pim.rd_mac
    // CHECK-NEXT: }
    // CHECK-NEXT: }
    pim.loop %i count 8 {
      %out = pim.dyn_modi 0 + %i * 1
      %from = pim.dyn_modi 100 + %i * 32
      pim.wr_bias gpr %from out %out mask 4294967295
      pim.mac_abk row %0 col %0 gb %0 out %out mask 4294967295 opsize 8
      %to = pim.dyn_modi 132 + %i * 32
      pim.rd_mac gpr %to out %out mask 4294967295
    }
  }
  // Nested: an accumulator for each query and slot.
  // CHECK-LABEL: pim.entry @queries
  // CHECK: pim.loop %{{.*}} count 4
  // CHECK-NEXT: pim.dyn_loop %{{.*}} span 512
  // CHECK-NEXT: pim.dyn_modi
  // CHECK-NEXT: pim.wr_bias
  // CHECK-NEXT: }
  // CHECK-NEXT: }
  // CHECK-NEXT: pim.loop %{{.*}} count 4
  // CHECK-NEXT: pim.dyn_loop %{{.*}} span 512
  // CHECK-NEXT: pim.dyn_modi
  // CHECK-NEXT: pim.mac_abk
  pim.entry @queries op_type <qkt> partitioning <token> communication <none> attributes {channel_mask = 4294967295 : i64} {
    %0 = arith.constant 0 : index
    pim.dyn_loop %row span 4096 {
      pim.loop %q count 4 {
        pim.dyn_loop %s span 512 {
          %out = pim.dyn_modi 0 + %q * 8 + %s * 1
          pim.wr_bias gpr %0 out %out mask 4294967295
          pim.mac_abk row %0 col %0 gb %0 out %out mask 4294967295 opsize 8
        }
      }
    }
  }
}
