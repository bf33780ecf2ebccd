// RUN: memside-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{page_tokens 0 is below 1}}
pnm.program @p model "m" page_tokens 0 {
}

// -----

// expected-error @+1 {{expects parent op 'pnm.program'}}
pnm.append 8 x 128 bits 16

// -----

pnm.program @p model "m" page_tokens 32 {
  // expected-error @+1 {{head_dim 0 is below 1}}
  pnm.append 8 x 0 bits 16
}

// -----

pnm.program @p model "m" page_tokens 32 {
  // expected-error @+1 {{bits -8 is below 1}}
  pnm.append 8 x 128 bits -8
}

// -----

pnm.program @p model "m" page_tokens 32 {
  // expected-error @+1 {{expected integer value}}
  pnm.append 8 x many bits 16
}

// -----

pnm.program @p model "m" page_tokens 32 {
  // expected-error @+1 {{30 query heads are no multiple of 8 KV heads}}
  pnm.score 30 over 8 x 128 digest_bits 16
}

// -----

pnm.program @p model "m" page_tokens 32 {
  // expected-error @+1 {{has no scores to choose from: put a pnm.score before it}}
  pnm.top_k 64
}

// -----

pnm.program @p model "m" page_tokens 32 {
  // expected-error @+1 {{has no selected pages: put a pnm.top_k before it}}
  pnm.attention 32 over 8 x 128 bits 16 pages 64
}

// -----

pnm.program @p model "m" page_tokens 32 {
  pnm.score 32 over 8 x 128 digest_bits 16
  pnm.top_k 32
  // expected-error @+1 {{attends to 64 pages, but 32 are selected}}
  pnm.attention 32 over 8 x 128 bits 16 pages 64
}

// -----

pnm.program @p model "m" page_tokens 32 {
  // expected-error @+1 {{window -1 is negative; 0 sees all tokens}}
  pnm.attention 32 over 8 x 128 bits 16 {window = -1 : i64}
}
