// RUN: memside-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{channels 33 is not 1 to 32}}
pim.program @p model "m" target "aim" attributes {channels = 33 : i64} {
}

// -----

pim.program @p model "m" target "aim" {
  // expected-error @+1 {{rows 16383 to 16384 are not all among the 0 to 16383 of a bank}}
  pim.region @w rows 2 at 16383
}

// -----

pim.program @p model "m" target "aim" {
  // expected-error @+1 {{is per_request: its table has its rows, it is `at` no row}}
  pim.region @k per_request at 4
}

// -----

pim.program @p model "m" target "aim" {
  pim.entry @e op_type <qkt> partitioning <token> communication <none> {
    // expected-error @+1 {{names @keys, which is no pim.region of the program}}
    %r = pim.dyn_modi 0 in @keys
  }
}

// -----

pim.program @p model "m" target "aim" {
  // expected-error @+1 {{shares @f, which is no pim.entry}}
  pim.entry @e op_type <qkt> partitioning <token> communication <none> shares @f {
  }
}

// -----

func.func @opsize(%c: index) {
  %c0 = arith.constant 0 : index
  %c60 = arith.constant 60 : index
  %c16383 = arith.constant 16383 : index
  %c20000 = arith.constant 20000 : index
  // expected-error @+1 {{opsize 65 is above 64}}
  pim.wr_gb gpr %c0 gb %c0 mask 1 opsize 65
  return
}

// -----

func.func @mask(%c: index) {
  %c0 = arith.constant 0 : index
  %c60 = arith.constant 60 : index
  %c16383 = arith.constant 16383 : index
  %c20000 = arith.constant 20000 : index
  // expected-error @+1 {{mask 0 addresses no channel}}
  pim.wr_bias gpr %c0 out %c0 mask 0
  return
}

// -----

func.func @bank(%c: index) {
  %c0 = arith.constant 0 : index
  %c60 = arith.constant 60 : index
  %c16383 = arith.constant 16383 : index
  %c20000 = arith.constant 20000 : index
  // expected-error @+1 {{bank 16 is above 15}}
  pim.rd_sbk gpr %c0 row %c0 col %c0 mask 1 bank 16
  return
}

// -----

func.func @columns(%c: index) {
  %c0 = arith.constant 0 : index
  %c60 = arith.constant 60 : index
  %c16383 = arith.constant 16383 : index
  %c20000 = arith.constant 20000 : index
  // expected-error @+1 {{col 60 and the 7 after it end above 63}}
  pim.mac_abk row %c0 col %c60 gb %c0 out %c0 mask 1 opsize 8
  return
}

// -----

func.func @row(%c: index) {
  %c0 = arith.constant 0 : index
  %c60 = arith.constant 60 : index
  %c16383 = arith.constant 16383 : index
  %c20000 = arith.constant 20000 : index
  // expected-error @+1 {{row 20000 is above 16383}}
  pim.mac_abk row %c20000 col %c0 gb %c0 out %c0 mask 1 opsize 8
  return
}

// -----

func.func @operand(%c: index) {
  %c0 = arith.constant 0 : index
  %c60 = arith.constant 60 : index
  %c16383 = arith.constant 16383 : index
  %c20000 = arith.constant 20000 : index
  // expected-error @+1 {{operand 0 must be an arith.constant or a pim.dyn_modi}}
  pim.rd_mac gpr %c out %c0 mask 1
  return
}

// -----

func.func @config(%c: index) {
  %c0 = arith.constant 0 : index
  %c60 = arith.constant 60 : index
  %c16383 = arith.constant 16383 : index
  %c20000 = arith.constant 20000 : index
  // expected-error @+1 {{value 2 is above 1 of CFR 0}}
  pim.write_cfr 0 = 2
  return
}

// -----

func.func @per(%c: index) {
  %c0 = arith.constant 0 : index
  %c60 = arith.constant 60 : index
  %c16383 = arith.constant 16383 : index
  %c20000 = arith.constant 20000 : index
  // expected-error @+1 {{has an opsize per tokens outside of a pim.dyn_loop}}
  pim.wr_gb gpr %c0 gb %c0 mask 1 opsize 1 per 16
  return
}

// -----

func.func @hub(%c: index) {
  %c0 = arith.constant 0 : index
  %c60 = arith.constant 60 : index
  %c16383 = arith.constant 16383 : index
  %c20000 = arith.constant 20000 : index
  // expected-error @+1 {{state 16 is not 0 to 15}}
  pim.hub.softmax_start {state = 16 : i64, queries = 4 : i64, head_dim = 64 : i64}
  return
}

// -----

func.func @far(%c: index) {
  %c0 = arith.constant 0 : index
  %c60 = arith.constant 60 : index
  %c16383 = arith.constant 16383 : index
  %c20000 = arith.constant 20000 : index
  // expected-error @+1 {{gpr_out 16383 and the 1 after it end above 16383}}
  pim.hub.copy gpr %c0 out %c16383 {tiles = 2 : i64}
  return
}

// -----

// A loop that moves an operand beyond its range, in its last iteration.
func.func @moved() {
  %c0 = arith.constant 0 : index
  pim.loop %i count 9 {
    %col = pim.dyn_modi 0 + %i * 8
    // expected-error @+1 {{col 64 is above 63}}
    pim.mac_abk row %c0 col %col gb %c0 out %c0 mask 1 opsize 8
  }
  return
}

// -----

func.func @no_row() {
  %c0 = arith.constant 0 : index
  %x = pim.dyn_modi 0 in @keys
  // expected-error @+1 {{col is no row: it cannot be one of @keys}}
  pim.mac_abk row %c0 col %x gb %c0 out %c0 mask 1 opsize 8
  return
}

// -----

func.func @count() {
  // expected-error @+1 {{count 0 is below 1}}
  pim.loop %i count 0 {
    pim.sync
  }
  return
}

// -----

func.func @wider() {
  pim.dyn_loop %i span 16 {
    // expected-error @+1 {{span 32 is above 16, the piece of the loop around it}}
    pim.dyn_loop %j span 32 {
      pim.sync
    }
  }
  return
}

// -----

func.func @iteration(%i: index) {
  // expected-error @+1 {{moves with the iterations of pim.loop and pim.dyn_loop only}}
  %x = pim.dyn_modi 0 + %i * 8
  return
}

// -----

func.func @twice() {
  pim.loop %i count 2 {
    // expected-error @+1 {{has two steps of one loop; add them up}}
    %x = pim.dyn_modi 0 + %i * 8 + %i * 4
  }
  return
}

// -----

func.func @divisors() {
  %0 = arith.constant 0 : index
  // expected-error @+1 {{has 1 divisors for 2 pairs}}
  pim.hub.rope gpr %0 {head_dim = 4 : i64, divisors = array<f32: 1.>, theta = 1.0e4 : f32}
  return
}
