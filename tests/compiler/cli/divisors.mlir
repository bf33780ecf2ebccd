// The divisors of a rotation are the same from a GGUF file, which has them, and from a config.json, which
// has the rule that they follow.
// RUN: memside make-model --shape %S/Inputs/small-llama3.json -o %t.gguf
// RUN: memside compile --model %t.gguf --print-after=front -o %t.file.asm 2>&1 | grep rope_freqs > %t.file
// RUN: memside compile --model %S/Inputs/small-llama3.json --print-after=front -o %t.config.asm 2>&1 | grep rope_freqs > %t.config
// RUN: diff %t.file %t.config
// RUN: FileCheck %s --input-file %t.file
// RUN: FileCheck %s --input-file %t.file.asm --check-prefix=TABLE

// CHECK: values = array<f32: 1.000000e+00, {{.*}}3.200000e+01>
// TABLE: table 1 of 32 values
// TABLE: HUB rope head_dim=64 {{.*}}table=1
