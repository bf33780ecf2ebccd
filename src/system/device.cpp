#include "system/device.h"

namespace memside {
namespace {

struct Namer {
    const char* operator()(const Gemm&) const { return "gemm"; }
    const char* operator()(const Attention&) const { return "attention"; }
    const char* operator()(const PromptAttention&) const { return "prompt attention"; }
    const char* operator()(const DigestScan&) const { return "digest scan"; }
    const char* operator()(const TopK&) const { return "top-k"; }
    const char* operator()(const KvAppend&) const { return "kv append"; }
    const char* operator()(const VectorOp&) const { return "vector operation"; }
};

}  // namespace

std::string operation_name(const Operation& operation) {
    return std::visit(Namer{}, operation);
}

}  // namespace memside
