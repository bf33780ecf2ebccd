// RUN: memside-opt %s -pim-assign-addresses | FileCheck %s
// RUN: memside-opt %s -pim-assign-addresses="access=static max-context=4097" | FileCheck %s --check-prefix=STATIC
// RUN: not memside-opt %s -pim-assign-addresses=access=static 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not memside-opt %s -pim-assign-addresses="access=static max-context=67108864" 2>&1 | FileCheck %s --check-prefix=FULL

// Weights first; 4,097 tokens take two rows of 8 x 16 x 32 keys.
// CHECK: pim.region @keys per_request {{{.*}}span_rows = 1 : i64, span_tokens = 4096 : i64}
// CHECK: pim.region @w rows 3 at 0
// CHECK: pim.region @u rows 2 at 3
// STATIC: max_tokens = 4097
// STATIC: pim.region @keys rows 2 at 5
// STATIC: pim.region @w rows 3 at 0
// NONE: static addresses need max-context
// FULL: needs 16384 rows from row 5 on; a bank has 16384
pim.program @p model "m" target "t" {
  pim.region @keys per_request {pim.kv = {head_dim = 128 : i64, heads = 1 : i64, key = true, ways = 32 : i64}}
  pim.region @w rows 3
  pim.region @u rows 2
  pim.entry @e op_type <other> partitioning <copy> communication <none> {
    pim.sync
  }
}
