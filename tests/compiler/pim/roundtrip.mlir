// RUN: memside-opt %s | memside-opt | FileCheck %s
// RUN: memside-opt --mlir-print-op-generic %s | memside-opt | FileCheck %s

// CHECK: pim.program @layer model "llama-3.1-8b" target "aim" attributes {chunk_rows = 2 : i64, max_tokens = 131072 : i64}
pim.program @layer model "llama-3.1-8b" target "aim"
    attributes {channels = 32 : i64, chunk_rows = 2 : i64, max_tokens = 131072 : i64} {
  // CHECK: pim.region @keys per_request
  pim.region @keys per_request
  // CHECK: pim.region @values rows 512 per_request
  pim.region @values rows 512 per_request
  // CHECK: pim.region @scores per_request {span_rows = 4 : i64, span_tokens = 1024 : i64}
  pim.region @scores per_request {span_tokens = 1024 : i64, span_rows = 4 : i64}
  // CHECK: pim.region @wq rows 128 at 3
  pim.region @wq rows 128 at 3
  // CHECK: pim.entry @"layer 0 attention" op_type <attention> partitioning <token> communication <reduce> attributes {channel_mask = 4294967295 : i64}
  pim.entry @"layer 0 attention" op_type <attention> partitioning <token> communication <reduce> attributes {channel_mask = 4294967295 : i64} {
    %c0 = arith.constant 0 : index
    %c7 = arith.constant 7 : index
    // CHECK: pim.hub.softmax_start {head_dim = 128 : i64, queries = 4 : i64, state = 1 : i64}
    pim.hub.softmax_start {state = 1 : i64, queries = 4 : i64, head_dim = 128 : i64}
    // CHECK: pim.write_cfr 2 = 7
    pim.write_cfr 2 = 7
    // CHECK: pim.dyn_loop %[[BLOCK:.*]] span 2048 {
    pim.dyn_loop %block span 2048 {
      // CHECK: pim.loop %[[QUERY:.*]] count 4 {
      pim.loop %query count 4 {
        // CHECK: %[[Q:.*]] = pim.dyn_modi 100 + %[[QUERY]] * 8
        %q = pim.dyn_modi 100 + %query * 8
        // CHECK: pim.wr_gb gpr %[[Q]] gb %{{.*}} mask 4294967295 opsize 8
        pim.wr_gb gpr %q gb %c0 mask 4294967295 opsize 8
        // CHECK: pim.dyn_loop %[[GROUP:.*]] span 512 {
        pim.dyn_loop %group span 512 {
          // CHECK: %[[R:.*]] = pim.dyn_modi 5 + %[[BLOCK]] * 4 + %[[GROUP]] * 1 in @keys
          %r = pim.dyn_modi 5 + %block * 4 + %group * 1 in @keys
          // CHECK: pim.wr_bias gpr
          pim.wr_bias gpr %c7 out %c0 mask 1
          // CHECK: pim.mac_abk row %[[R]] col %{{.*}} gb %{{.*}} out %{{.*}} mask 4294967295 opsize 8
          pim.mac_abk row %r col %c0 gb %c0 out %c0 mask 4294967295 opsize 8
          // CHECK: pim.mac_abk row {{.*}} opsize 1 per 16
          pim.mac_abk row %r col %c0 gb %c0 out %c0 mask 4294967295 opsize 1 per 16
          // CHECK: pim.mac_sbk row {{.*}} mask 1 bank 15 opsize 4
          pim.mac_sbk row %r col %c0 gb %c0 out %c0 mask 1 bank 15 opsize 4
          // CHECK: pim.rd_mac gpr
          pim.rd_mac gpr %q out %c0 mask 3
        }
      }
      // CHECK: pim.hub.softmax_block gpr %{{.*}} out %{{.*}} {classes = 4 : i64, queries = 4 : i64, scale = 0.0883883{{.*}} : f32, state = 1 : i64}
      pim.hub.softmax_block gpr %c0 out %c7
        {state = 1 : i64, queries = 4 : i64, classes = 4 : i64, scale = 0.088388346 : f32}
      // CHECK: pim.hub.accumulate gpr
      pim.hub.accumulate gpr %c0 {state = 1 : i64, queries = 4 : i64, head_dim = 128 : i64}
    }
    // CHECK: pim.hub.softmax_finish out
    pim.hub.softmax_finish out %c0 {state = 1 : i64, queries = 4 : i64, head_dim = 128 : i64}
  }
  // CHECK: pim.entry @"layer 1 attention" op_type <attention> partitioning <token> communication <reduce> shares @"layer 0 attention" attributes {region_base = 2 : i64}
  pim.entry @"layer 1 attention" op_type <attention> partitioning <token> communication <reduce> shares @"layer 0 attention"
      attributes {region_base = 2 : i64} {
  }
  // CHECK: pim.entry @rest op_type <other> partitioning <copy> communication <none> attributes {module = 1 : i64}
  pim.entry @rest op_type <other> partitioning <copy> communication <none> attributes {module = 1 : i64} {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    // CHECK: pim.wr_sbk gpr {{.*}} mask 1 bank 3
    pim.wr_sbk gpr %c0 row %c0 col %c0 mask 1 bank 3
    // CHECK: pim.wr_abk gpr
    pim.wr_abk gpr %c0 row %c0 col %c0 mask 1
    // CHECK: pim.rd_sbk gpr {{.*}} mask 1 bank 3
    pim.rd_sbk gpr %c0 row %c0 col %c0 mask 1 bank 3
    // CHECK: pim.copy_bkgb row {{.*}} mask 1 bank 2 opsize 64
    pim.copy_bkgb row %c0 col %c0 gb %c0 mask 1 bank 2 opsize 64
    // CHECK: pim.copy_gbbk row {{.*}} mask 1 bank 2 opsize 64
    pim.copy_gbbk row %c0 col %c0 gb %c0 mask 1 bank 2 opsize 64
    // CHECK: pim.af out
    pim.af out %c0 mask 1
    // CHECK: pim.rd_af gpr
    pim.rd_af gpr %c0 out %c0 mask 1
    // CHECK: pim.ewmul row {{.*}} opsize 32
    pim.ewmul row %c0 col %c0 mask 1 opsize 32
    // CHECK: pim.ewadd gpr {{.*}} gpr2 {{.*}} opsize 8
    pim.ewadd gpr %c0 gpr2 %c16 opsize 8
    // CHECK: pim.sync
    pim.sync
    // CHECK: pim.hub.reduce gpr {{.*}} {part_stride = 8 : i64, parts = 4 : i64, tiles = 8 : i64}
    pim.hub.reduce gpr %c0 gpr2 %c0 out %c16 {parts = 4 : i64, part_stride = 8 : i64, tiles = 8 : i64}
    // CHECK: pim.hub.rms_norm gpr {{.*}} {scale = {{.*}} : f32, values = 4096 : i64}
    pim.hub.rms_norm gpr %c0 gpr2 %c0 out %c16 {values = 4096 : i64, scale = 1.0e-5 : f32}
    // CHECK: pim.hub.rope gpr {{.*}} {divisors = array<f32: 1.000000e+00, 8.000000e+00>, head_dim = 4 : i64, theta = 5.000000e+05 : f32}
    pim.hub.rope gpr %c0 {head_dim = 4 : i64, divisors = array<f32: 1., 8.>, theta = 5.0e5 : f32}
    // CHECK: pim.hub.combine gpr {{.*}} out {{.*}} {head_dim = 128 : i64, part_stride = 36 : i64, parts = 2 : i64, queries = 4 : i64, query_stride = 9 : i64}
    pim.hub.combine gpr %c0 out %c0 {queries = 4 : i64, query_stride = 9 : i64, parts = 2 : i64, part_stride = 36 : i64, head_dim = 128 : i64}
    // CHECK: pim.hub.rope gpr {{.*}} {head_dim = 128 : i64, heads = 8 : i64, theta = 5.000000e+05 : f32}
    pim.hub.rope gpr %c0 {heads = 8 : i64, head_dim = 128 : i64, theta = 5.0e5 : f32}
    // CHECK: pim.hub.gate gpr {{.*}} {choice = 1 : i64, tiles = 8 : i64}
    pim.hub.gate gpr %c0 gpr2 %c16 out %c0 {tiles = 8 : i64, choice = 1 : i64}
    // CHECK: pim.hub.add gpr
    pim.hub.add gpr %c0 gpr2 %c16 out %c0 {tiles = 8 : i64}
    // CHECK: pim.hub.fill out {{.*}} {scale = 0.000000e+00 : f32, tiles = 1 : i64}
    pim.hub.fill out %c0 {tiles = 1 : i64, scale = 0.0 : f32}
    // CHECK: pim.hub.copy gpr
    pim.hub.copy gpr %c0 out %c16 {tiles = 8 : i64}
    // CHECK: pim.hub.append_key gpr {{.*}} to @keys {head_dim = 128 : i64, query_stride = 8 : i64, ways = 32 : i64}
    pim.hub.append_key gpr %c0 to @keys {head_dim = 128 : i64, query_stride = 8 : i64, ways = 32 : i64}
    // CHECK: pim.hub.append_value gpr {{.*}} gpr2 {{.*}} to @values
    pim.hub.append_value gpr %c0 gpr2 %c16 to @values
      {head_dim = 128 : i64, query_stride = 8 : i64, ways = 32 : i64}
  }
}
