#include "report/format.h"

#include <cmath>
#include <map>
#include <set>

#include "base/number.h"

namespace memside {
namespace {

std::string with_separators(double whole) {
    const std::string digits = fmt::format("{:.0f}", std::abs(whole));
    std::string out = whole < 0 ? "-" : "";
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
        out += digits[i];
    }
    return out;
}

// Three significant digits without an exponent, trailing zeros after the point cut.
std::string three_digits(double value) {
    if (value == 0) return "0";
    const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
    if (magnitude < -6) return fmt::format("{:.3g}", value);
    std::string text = fmt::format("{:.{}f}", value, std::clamp(2 - magnitude, 0, 9));
    if (text.find('.') != std::string::npos) {
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
    }
    return text;
}

}  // namespace

std::string figure(double value) {
    if (std::abs(value) < 1000) return three_digits(value);
    if (std::abs(value) < 1e7) return with_separators(value);
    if (std::abs(value) < 1e9) return three_digits(value / 1e6) + " million";
    return fmt::format("{:.3g}", value);
}

std::string percent(double share) {
    return fmt::format("{:.1f} %", share * 100);
}

std::string short_bytes(double bytes) {
    static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    constexpr std::size_t gib = 3;
    std::size_t unit = 0;
    // GiB go on to 4,095: capacities are compared in them.
    while (bytes >= (unit == gib ? 4096 : 1024) && unit + 1 < std::size(units)) {
        bytes /= 1024;
        ++unit;
    }
    if (bytes >= 1000) return with_separators(bytes) + " " + units[unit];
    std::string text = fmt::format("{:.2f}", bytes);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text + " " + units[unit];
}

std::string milliseconds(double seconds) {
    return figure(seconds * 1e3);
}

std::string held_back_by(const SimulationResult& result) {
    if (result.phases.empty()) return "";
    double step_s = 0;
    for (const PhaseTime& phase : result.phases) step_s += phase.time_s;
    const PhaseTime& largest = *std::max_element(
        result.phases.begin(), result.phases.end(),
        [](const PhaseTime& a, const PhaseTime& b) { return a.time_s < b.time_s; });
    return step_s > 0 ? fmt::format("{}, {}", largest.name, percent(largest.time_s / step_s))
                      : largest.name;
}

MemoryFill memory_fill(const SimulationResult& result, const SimulationResult::Capacity& capacity) {
    const double requests =
        result.batch == 0 ? 1.0 : static_cast<double>(capacity.requests_per_device);
    const double occupied =
        capacity.weight_bytes + (result.batch == 0 ? 0.0 : requests * capacity.request_bytes);
    return {.weights_bytes = capacity.weight_bytes,
            .kv_bytes = requests * std::max(0.0, capacity.request_bytes - capacity.digest_bytes),
            .digest_bytes = requests * capacity.digest_bytes,
            .free_bytes = std::max(0.0, capacity.capacity_bytes - occupied),
            .capacity_bytes = capacity.capacity_bytes};
}

std::vector<Assumption> all_assumptions(const SimulationResult& result) {
    std::vector<Assumption> all = result.assumptions;
    std::set<std::string> keys;
    for (const Assumption& assumption : all) keys.insert(assumption.key);
    for (const Constant& constant : result.constants) {
        if (constant.assumed() && keys.insert(constant.path).second) {
            all.push_back({constant.path, constant.text, constant.source});
        }
    }
    return all;
}

std::string batch_text(const SimulationResult& result) {
    return result.batch_mean ? figure(*result.batch_mean) : fmt::format("{}", result.batch);
}

namespace {

using Labels = std::vector<ResultLabels::Label>;

// Puts a text behind each label that has one.
void extend(Labels& labels, const std::vector<std::string>& texts) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (!texts[i].empty()) labels[i].detail += ", " + texts[i];
    }
}

// The same for labels that read alike and whose texts differ; `shown` when every output shows it
// anyway.
void tell_apart(Labels& labels, const std::vector<std::string>& texts, bool shown = false) {
    std::map<std::string, std::vector<std::size_t>> alike;
    for (std::size_t i = 0; i < labels.size(); ++i) alike[labels[i].line()].push_back(i);
    for (const auto& [line, group] : alike) {
        const bool differ = std::any_of(group.begin(), group.end(), [&](std::size_t i) {
            return texts[i] != texts[group.front()];
        });
        if (!differ) continue;
        for (const std::size_t i : group) {
            if (texts[i].empty()) continue;
            labels[i].detail += ", " + texts[i];
            if (shown) continue;
            labels[i].extra += (labels[i].extra.empty() ? "" : ", ") + texts[i];
        }
    }
}

// What a user chooses besides model, context, system and policy, in the order in which it tells
// results apart. An input that the policy does not have gives nothing.
std::vector<std::string (*)(const SimulationResult&)> input_texts() {
    using R = SimulationResult;
    return {
        [](const R& r) -> std::string {
            return r.budget_tokens ? "budget " + format_tokens(*r.budget_tokens) : "";
        },
        [](const R& r) -> std::string {
            return r.page_size_tokens ? fmt::format("pages of {}", *r.page_size_tokens) : "";
        },
        [](const R& r) { return r.kv_type.empty() ? "" : "KV in " + r.kv_type; },
        [](const R& r) { return r.digest ? *r.digest + " digests" : ""; },
        [](const R& r) { return r.digest_type ? "digests in " + *r.digest_type : ""; },
        [](const R& r) -> std::string {
            return r.dense_layers ? fmt::format("dense layers {}", *r.dense_layers) : "";
        },
        [](const R& r) -> std::string {
            return r.sink_pages ? fmt::format("sink pages {}", *r.sink_pages) : "";
        },
        [](const R& r) -> std::string {
            return r.recent_pages ? fmt::format("recent pages {}", *r.recent_pages) : "";
        },
        [](const R& r) { return r.overlap.empty() ? "" : "overlap " + r.overlap; },
    };
}

// What --set changed in a result and not likewise in all of them: "pnm.count 64".
std::vector<std::string> override_texts(const std::vector<SimulationResult>& results) {
    std::map<std::pair<std::string, std::string>, std::set<std::size_t>> holders;
    for (std::size_t i = 0; i < results.size(); ++i) {
        for (const Assumption& a : results[i].assumptions) {
            if (a.source == "--set") holders[{a.key, a.value}].insert(i);
        }
    }
    std::vector<std::string> texts(results.size());
    for (const auto& [pair, held_by] : holders) {
        if (held_by.size() == results.size()) continue;
        for (const std::size_t i : held_by) {
            texts[i] += (texts[i].empty() ? "" : ", ") + pair.first + " " + pair.second;
        }
    }
    return texts;
}

// "128K tokens"; of a served workload "multifieldqa, 256 requests".
std::string requests_text(const SimulationResult& result) {
    for (const auto& [name, value] : result.settings) {
        if (name == "workload" && result.requests) {
            return fmt::format("{}, {} requests", value, *result.requests);
        }
    }
    return format_tokens(result.context_tokens) + " tokens";
}

}  // namespace

ResultLabels label_results(const std::vector<SimulationResult>& results) {
    ResultLabels out;
    for (const SimulationResult& result : results) {
        out.labels.push_back({result.system, result.policy, ""});
    }
    const auto texts_of = [&](const auto& describe) {
        std::vector<std::string> texts;
        for (const SimulationResult& result : results) texts.push_back(describe(result));
        return texts;
    };
    const auto always = [&](const std::vector<std::string>& texts) {
        if (std::set(texts.begin(), texts.end()).size() > 1) {
            extend(out.labels, texts);
        } else if (!texts.empty()) {
            out.shared += (out.shared.empty() ? "" : ", ") + texts.front();
        }
    };
    always(texts_of([](const auto& r) { return r.model; }));
    always(texts_of(requests_text));
    for (const auto& describe : input_texts()) tell_apart(out.labels, texts_of(describe));
    tell_apart(out.labels, override_texts(results));
    tell_apart(out.labels, texts_of([](const auto& r) { return fmt::format("seed {}", r.seed); }));
    const auto batches = texts_of(
        [](const auto& r) { return r.batch > 0 ? "batch " + batch_text(r) : "nothing fits"; });
    tell_apart(out.labels, batches, true);
    std::vector<std::string> numbers;
    for (std::size_t i = 1; i <= results.size(); ++i) numbers.push_back(fmt::format("#{}", i));
    tell_apart(out.labels, numbers);
    return out;
}

}  // namespace memside
