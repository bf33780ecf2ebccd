#include "pnm/layer_program.h"

#include "base/data_dir.h"
#include "base/number.h"
#include "base/text.h"

namespace memside::pnm {
namespace {

constexpr std::string_view program_kind = "pnm-layer";
constexpr std::string_view program_version = "1";
constexpr std::array<std::string_view, 2> layer_names = {"selecting", "whole"};

Result<Operand> read_operand(const ConfigNode& node) {
    Operand operand;
    if (!node.is_scalar()) return bad_input(node.where(), "an operand is a number or a name");
    for (std::size_t i = 0; i < symbol_count; ++i) {
        if (node.scalar != symbol_names[i]) continue;
        operand.bound = false;
        operand.symbol = static_cast<Symbol>(i);
        return operand;
    }
    const Result<double> number = parse_number(node.scalar, node.where());
    if (!number.ok() || *number < 0.0) {
        return bad_input(node.where(),
                         fmt::format("{} is neither a number from 0 on nor one of {}",
                                     in_quotes(node.scalar), fmt::join(symbol_names, ", ")));
    }
    operand.number = *number;
    return operand;
}

Result<KernelCall> read_call(const ConfigNode& node) {
    MEMSIDE_TRY(const std::string name, required_text(node, "kernel"));
    const std::vector<std::string> kernels(std::begin(kernel_names), std::end(kernel_names));
    MEMSIDE_TRY(const std::size_t index, parse_choice(name, kernels, node.find("kernel")->where()));
    KernelCall call;
    call.kernel = static_cast<Kernel>(index);
    std::vector<std::string> keys{"kernel"};
    for (const std::string_view operand : operand_names(call.kernel)) keys.emplace_back(operand);
    MEMSIDE_CHECK(expect_keys(node, keys));
    for (std::size_t i = 1; i < keys.size(); ++i) {
        const ConfigNode* operand = node.find(keys[i]);
        if (operand == nullptr) {
            return bad_input(node.where(), fmt::format("{} needs '{}'", name, keys[i]));
        }
        MEMSIDE_TRY(const Operand read, read_operand(*operand));
        call.operands.push_back(read);
    }
    return call;
}

Result<LayerProgram> read_layer(const ConfigNode& layers, std::string_view name) {
    const ConfigNode* node = layers.find(name);
    LayerProgram program;
    if (node == nullptr) return program;
    if (!node->is_list()) {
        return bad_input(node->where(), fmt::format("'{}' must be a list of kernels", name));
    }
    for (const ConfigNode& item : node->items) {
        if (!item.is_map()) return bad_input(item.where(), "a kernel is a map");
        if (!program.calls.empty() && program.calls.back().kernel == Kernel::attention) {
            return bad_input(item.where(), "a kernel follows the attention, which ends a layer");
        }
        MEMSIDE_TRY(KernelCall call, read_call(item));
        program.calls.push_back(std::move(call));
    }
    if (program.calls.empty() || program.calls.back().kernel != Kernel::attention) {
        return bad_input(node->where(),
                         fmt::format("layer '{}' does not end with attention", name));
    }
    return program;
}

std::string layer_text(const LayerProgram& program, std::string_view name) {
    if (program.calls.empty()) return "";
    std::string text = fmt::format("  {}:\n", name);
    for (const KernelCall& call : program.calls) {
        text +=
            fmt::format("    - kernel: {}\n", kernel_names[static_cast<std::size_t>(call.kernel)]);
        const std::vector<std::string_view> names = operand_names(call.kernel);
        for (std::size_t i = 0; i < names.size(); ++i) {
            const Operand& operand = call.operands[i];
            text += operand.bound
                        ? fmt::format("      {}: {}\n", names[i], operand.number)
                        : fmt::format("      {}: {}\n", names[i],
                                      symbol_names[static_cast<std::size_t>(operand.symbol)]);
        }
    }
    return text;
}

}  // namespace

std::vector<std::string_view> operand_names(Kernel kernel) {
    switch (kernel) {
        case Kernel::append:
            return {"requests",       "kv_heads",    "head_dim",   "kv_bits",
                    "digest_vectors", "digest_bits", "page_tokens"};
        case Kernel::score:
            return {"pages", "query_heads", "kv_heads", "head_dim", "digest_bits"};
        case Kernel::top_k:
            return {"scores", "selected"};
        case Kernel::attention:
            break;
    }
    return {"requests", "attended_tokens", "query_heads", "kv_heads",
            "head_dim", "kv_bits",         "page_tokens"};
}

Operation KernelCall::bind(const Symbols& symbols) const {
    std::vector<double> v;
    for (const Operand& operand : operands) v.push_back(operand.value(symbols));
    switch (kernel) {
        case Kernel::append: {
            KvAppend append;
            const double keys = v[0] * v[1] * v[2];
            append.requests = v[0];
            append.kv_bytes = 2.0 * keys * v[3] / 8.0;
            if (v[6] > 0.0) {
                // A page that fills is read back once (its keys) to build its digest: for every
                // request once in page_tokens steps, one token's keys a step on average.
                append.digest_read_bytes = keys * v[3] / 8.0;
                append.digest_write_bytes = keys * v[4] * v[5] / 8.0 / v[6];
            }
            return append;
        }
        case Kernel::score:
            return DigestScan{v[0], v[1], v[2], v[3], v[4]};
        case Kernel::top_k:
            return TopK{v[0], v[1]};
        case Kernel::attention:
            break;
    }
    return Attention{v[0], v[2], v[3], v[4], v[1], v[5], v[6]};
}

Result<LayerPrograms> parse_layer_programs(const ConfigNode& root) {
    if (!root.is_map()) return bad_input(root.where(), "a program is a map");
    MEMSIDE_CHECK(expect_keys(root, {"program", "version", "layers"}));
    MEMSIDE_TRY(const std::string kind, required_text(root, "program"));
    MEMSIDE_TRY(const std::string version, required_text(root, "version"));
    if (kind != program_kind || version != program_version) {
        return bad_input(root.where(),
                         fmt::format("is {} of version {}, not {} of version {}", in_quotes(kind),
                                     in_quotes(version), program_kind, program_version));
    }
    const ConfigNode* layers = root.find("layers");
    if (layers == nullptr || !layers->is_map()) {
        return bad_input(root.where(), "'layers' must map 'selecting', 'whole' or both to kernels");
    }
    MEMSIDE_CHECK(expect_keys(*layers, {layer_names.begin(), layer_names.end()}));
    LayerPrograms programs;
    MEMSIDE_TRY(programs.selecting, read_layer(*layers, layer_names[0]));
    MEMSIDE_TRY(programs.whole, read_layer(*layers, layer_names[1]));
    if (programs == LayerPrograms{}) {
        return bad_input(layers->where(), "has neither a layer 'selecting' nor one 'whole'");
    }
    return programs;
}

Result<LayerPrograms> read_layer_programs() {
    MEMSIDE_TRY(const std::string folder, data_dir());
    MEMSIDE_TRY(const ConfigNode root, read_config(folder + "/systems/programs/pnm-layer.yaml"));
    return parse_layer_programs(root);
}

std::string layer_programs_text(const LayerPrograms& programs, const std::string& made_by) {
    return fmt::format("# {}\nprogram: {}\nversion: {}\nlayers:\n", made_by, program_kind,
                       program_version) +
           layer_text(programs.selecting, layer_names[0]) +
           layer_text(programs.whole, layer_names[1]);
}

}  // namespace memside::pnm
