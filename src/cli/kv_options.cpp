#include "cli/kv_options.h"

#include <bit>

#include "base/number.h"
#include "base/text.h"
#include "kv/group_scores.h"
#include "kv/layout.h"

namespace memside::cli {
namespace {

constexpr const char* of_file_tier[] = {"--kv-reader", "--kv-read-ahead"};
// A tier of that name is followed by its folder.
constexpr std::string_view file_tier = "file:";
// And one of that name by its nodes.
constexpr std::string_view numa_tier = "numa:";

constexpr const char* of_selecting[] = {"--budget",       "--budget-mass",  "--digest",
                                        "--digest-type",  "--digest-coef",  "--select-per",
                                        "--group-score",  "--dense-layers", "--sink-pages",
                                        "--recent-pages", "--sticky"};

// What says how pages are scored: of use without a selecting policy too, when scores are recorded.
bool says_how_to_score(std::string_view name) {
    constexpr std::string_view names[] = {"--digest",     "--digest-type", "--digest-coef",
                                          "--select-per", "--group-score", "--dense-layers"};
    return std::ranges::find(names, name) != std::end(names);
}

Result<double> number(const Options& options, const std::string& name, double fallback) {
    const auto given = options.text(name);
    if (!given) return fallback;
    return parse_number(*given, name);
}

Status refuse_meaningless(const Options& options, const engine::KvPolicyVariant& variant,
                          bool records_scores) {
    const auto refuse = [&](const char* name, bool has_meaning, const char* policies) -> Status {
        if (has_meaning || !options.text(name)) return {};
        return bad_input(name, fmt::format("has no meaning for --policy {}; it is for {}",
                                           variant.name, policies));
    };
    for (const char* name : of_selecting) {
        const bool recorded = records_scores && says_how_to_score(name);
        MEMSIDE_CHECK(refuse(name, variant.selects || recorded, "pnm-kv, png-kv and recall"));
    }
    MEMSIDE_CHECK(refuse("--steady", variant.name == "png-kv", "png-kv"));
    if (options.text_or("--kv-tier", "dram").starts_with(file_tier)) return {};
    return refuse("--kv-pool", variant.name == "recall", "recall, and for --kv-tier file:DIR");
}

Status read_selection(const Options& options, engine::KvPolicy& policy) {
    engine::SelectionConfig& selection = policy.selection;
    MEMSIDE_TRY(selection.budget_tokens,
                parse_tokens(options.text_or("--budget", "4096"), "--budget"));
    MEMSIDE_TRY(selection.budget_mass, number(options, "--budget-mass", 1.0));
    if (!(selection.budget_mass > 0.0 && selection.budget_mass <= 1.0)) {
        return bad_input("--budget-mass", fmt::format("{} is not a share; allowed: above 0, to 1",
                                                      options.text_or("--budget-mass", "")));
    }
    MEMSIDE_TRY(selection.select_per,
                kv::parse_select_per(options.text_or("--select-per", "kv-head"), "--select-per"));
    MEMSIDE_TRY(selection.group_score,
                kv::parse_group_score(options.text_or("--group-score", default_group_score),
                                      "--group-score"));
    MEMSIDE_TRY(selection.pinned.sink,
                options.integer("--sink-pages", default_sink_pages, 0, 1 << 20));
    MEMSIDE_TRY(selection.pinned.recent,
                options.integer("--recent-pages", default_recent_pages, 0, 1 << 20));
    MEMSIDE_TRY(const std::size_t kind,
                options.choice("--digest", "centre-std", kv::digest_kind_names()));
    policy.digest.kind = static_cast<kv::DigestKind>(kind);
    MEMSIDE_TRY(const std::size_t type,
                options.choice("--digest-type", "f16", kv::digest_type_names()));
    policy.digest.type = static_cast<kv::DigestType>(type);
    MEMSIDE_TRY(const double coefficient, number(options, "--digest-coef", 1.0));
    MEMSIDE_CHECK(kv::check_coefficient(policy.digest.kind, coefficient, "--digest-coef"));
    policy.digest.coefficient = static_cast<float>(coefficient);
    MEMSIDE_TRY(const std::int64_t dense,
                options.integer("--dense-layers", default_dense_layers, 0, 1 << 16));
    policy.dense_layers = static_cast<int>(dense);
    MEMSIDE_TRY(policy.reselect_steps, options.integer("--sticky", 1, 1, 1 << 20));
    if (const auto steady = options.text("--steady")) {
        MEMSIDE_TRY(policy.steady_tokens, parse_tokens(*steady, "--steady"));
    }
    if (const auto bytes = options.text("--kv-pool")) {
        MEMSIDE_TRY(policy.pool_bytes, parse_bytes(*bytes, "--kv-pool"));
    }
    return {};
}

// "0" or "0,2": memory nodes. Where the machine has one only, it is where memory comes from anyway.
Result<engine::MemoryPlacement> read_nodes(std::string_view text) {
    std::vector<int> numbers;
    for (const std::string& node : split(text, ',')) {
        MEMSIDE_TRY(const std::int64_t number, parse_integer(node, 0, 4095, "--kv-tier"));
        numbers.push_back(static_cast<int>(number));
    }
    MEMSIDE_TRY(const engine::NumaTopology topology, engine::NumaTopology::of_machine());
    engine::MemoryPlacement placement;
    MEMSIDE_TRY(placement.nodes, topology.find(numbers, "--kv-tier"));
    if (topology.nodes().size() == 1) placement.nodes.clear();
    return placement;
}

Status read_tier(const Options& options, engine::DecoderOptions& decoder) {
    const std::string name = options.text_or("--kv-tier", "dram");
    if (!name.starts_with(file_tier)) {
        for (const char* option : of_file_tier) {
            if (!options.text(option)) continue;
            return bad_input(option, fmt::format("has no meaning for --kv-tier {}; it is for "
                                                 "file:DIR",
                                                 escaped(name)));
        }
    }
    if (name == "dram") return {};
    if (name.starts_with(numa_tier)) {
        MEMSIDE_TRY(decoder.placement, read_nodes(std::string_view(name).substr(numa_tier.size())));
        return {};
    }
    if (!name.starts_with(file_tier)) {
        return bad_input("--kv-tier", fmt::format("there is no {}; allowed: dram, numa:N, file:DIR",
                                                  in_quotes(name)));
    }
    engine::KvTier& tier = decoder.tier;
    tier.folder = name.substr(file_tier.size());
    if (tier.folder.empty()) return bad_input("--kv-tier", "'file:' names no folder: file:DIR");
    if (const auto bytes = options.text("--kv-pool")) {
        MEMSIDE_TRY(tier.pool_bytes, parse_bytes(*bytes, "--kv-pool"));
    }
    std::vector<std::string> readers{"auto"};
    for (const auto& variant : engine::file_reader_variants()) readers.emplace_back(variant.name);
    MEMSIDE_TRY(const std::size_t reader, options.choice("--kv-reader", "auto", readers));
    if (reader > 0) tier.reader = &engine::file_reader_variants()[reader - 1];
    MEMSIDE_TRY(const std::size_t ahead, options.choice("--kv-read-ahead", "on", {"on", "off"}));
    tier.read_ahead = ahead == 0;
    return {};
}

}  // namespace

void declare_kv_options(Options& options) {
    options.group("Keys and values");
    options.add("--policy", "NAME",
                "of decode steps:\n"
                "dense   every token attends to all before it (default)\n"
                "pnm-kv  only to the pages that matter, where they lie\n"
                "png-kv  the same, with pages that stay selected in a pool\n"
                "recall  the same, with all of them copied into a pool first");
    options.add(
        "--page-size", "TOKENS",
        "a power of two from 16 (default: 64, and 16 where pages are selected; that of a loaded "
        "sequence)");
    options.add("--kv-type", "TYPE", "f16 (default), bf16 or int8");
    options.add(
        "--kv-tier", "TIER",
        "dram (default); file:DIR: full pages in a file of that folder, which is gone with the "
        "run; numa:N or numa:N,M: memory of these nodes, attended by the cores next to it");
    options.add("--kv-reader", "HOW",
                "reads of file:DIR: auto (default), io_uring, threads or pread");
    options.add("--kv-read-ahead", "HOW",
                "on (default) or off: read what the next layer will want, or did last time");
    options.group("Selecting pages");
    options.add("--budget", "TOKENS", "attended by a page set, in whole pages (default: 4096)");
    options.add("--budget-mass", "P",
                "stop earlier, at this share of the estimated softmax (default: 1)");
    options.add("--digest", "KIND",
                "what stands for a page: centre-std (default), centre-mad, centre-max or minmax");
    options.add("--digest-type", "TYPE", "f16 (default) or int8");
    options.add("--digest-coef", "C", "scales the radius of the centre kinds (default: 1)");
    options.add("--select-per", "UNIT",
                "who shares a page set: layer, kv-head (default) or query-head");
    options.add("--group-score", "HOW", "of heads that share: max (default) or mean");
    options.add("--dense-layers", "N", "the first N layers attend everything (default: 2)");
    options.add("--sink-pages", "N", "oldest pages that are always in (default: 1)");
    options.add("--recent-pages", "N", "newest pages that are always in (default: 2)");
    options.add("--sticky", "STEPS", "steps that a selection serves (default: 1)");
    options.add("--steady", "TOKENS", "png-kv: kept in the pool (default: half the budget)");
    options.add("--kv-pool", "BYTES",
                "recall: size of the pool (default: twice the budget); file:DIR: memory of all "
                "pages, but for those being written (default: 64 MiB and what the policy keeps)");
}

Status read_kv_options(const Options& options, engine::DecoderOptions& decoder,
                       bool records_scores) {
    std::vector<std::string> policies;
    for (const auto& variant : engine::kv_policy_variants()) policies.emplace_back(variant.name);
    MEMSIDE_TRY(const std::size_t chosen, options.choice("--policy", "dense", policies));
    decoder.policy.variant = &engine::kv_policy_variants()[chosen];
    MEMSIDE_CHECK(refuse_meaningless(options, *decoder.policy.variant, records_scores));
    MEMSIDE_CHECK(read_tier(options, decoder));
    constexpr kv::ValueType types[] = {kv::ValueType::f16, kv::ValueType::bf16,
                                       kv::ValueType::int8};
    MEMSIDE_TRY(const std::size_t type,
                options.choice("--kv-type", "f16", {"f16", "bf16", "int8"}));
    decoder.kv_type = types[type];
    const std::int64_t page_tokens =
        decoder.policy.variant->selects ? default_selected_page_tokens : default_dense_page_tokens;
    MEMSIDE_TRY(decoder.page_tokens,
                options.integer("--page-size", page_tokens, engine::min_page_tokens,
                                engine::max_page_tokens));
    if (!std::has_single_bit(static_cast<std::uint64_t>(decoder.page_tokens))) {
        return bad_input("--page-size", fmt::format("{} is not a power of two; allowed: 16, 32, 64 "
                                                    "to {}",
                                                    decoder.page_tokens, engine::max_page_tokens));
    }
    if (decoder.policy.variant->selects || records_scores) {
        MEMSIDE_CHECK(read_selection(options, decoder.policy));
    }
    return engine::check_policy(decoder.policy, decoder.page_tokens);
}

}  // namespace memside::cli
