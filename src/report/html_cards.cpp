#include "base/number.h"
#include "report/html_parts.h"

namespace memside::html {
int best_of(const Results& results, std::optional<double> SimulationResult::* value, bool largest) {
    int best = -1;
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i].batch == 0 || !(results[i].*value)) continue;
        const double mine = *(results[i].*value);
        const double other = best < 0 ? 0 : *(results[static_cast<std::size_t>(best)].*value);
        if (best < 0 || (largest ? mine > other : mine < other)) best = static_cast<int>(i);
    }
    return best;
}

namespace {

// Names break between system and policy rather than inside them.
std::string stacked(const ResultLabels::Label& label) {
    return label.main + '\n' + label.detail;
}

std::string with_breaks(const std::string& text) {
    std::string out;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t to = std::min(text.find('\n', from), text.size());
        out += (from == 0 ? "" : "<br>") + escaped(std::string_view(text).substr(from, to - from));
        from = to + 1;
    }
    return out;
}

std::string card(std::string_view name, const std::string& value, std::string_view unit,
                 const std::string& detail) {
    return fmt::format(
        "<div class=\"card\"><h2>{}</h2><p class=\"value\">{}<span class=\"unit\">{}</span></p>"
        "<p class=\"detail\">{}</p></div>\n",
        escaped(name), escaped(value), escaped(unit), with_breaks(detail));
}

// The best throughput over that of the first other configuration that fits the same work: the
// order of the results says what is compared with what.
std::string ratio_card(const Results& results, const ResultLabels& labels, std::size_t best) {
    for (std::size_t i = 0; i < results.size(); ++i) {
        const SimulationResult& base = results[i];
        if (i == best || base.batch == 0 || base.throughput_tok_per_s.value_or(0) <= 0 ||
            base.model != results[best].model ||
            base.context_tokens != results[best].context_tokens) {
            continue;
        }
        return card("Advantage",
                    figure(*results[best].throughput_tok_per_s / *base.throughput_tok_per_s), "×",
                    "the throughput of " + labels.labels[i].line());
    }
    return "";
}

// Where nothing fits: what a device would have to hold, and what it has.
std::string misfit_cards(const SimulationResult& r) {
    if (!r.capacity) return "";
    const MemoryFill fill = memory_fill(r, *r.capacity);
    const auto bytes = [](std::string_view name, double value, const std::string& detail) {
        const std::string text = short_bytes(value);
        const std::size_t blank = text.find(' ');
        return card(name, text.substr(0, blank), text.substr(blank + 1), detail);
    };
    const std::string& device = r.capacity->device;
    const std::string holds = short_bytes(fill.capacity_bytes);
    if (!fill.weights_fit()) {
        return bytes("Weights", fill.weights_bytes, "on each " + device) +
               bytes("Room", fill.capacity_bytes, "on each " + device);
    }
    return bytes("One request", fill.request_bytes(),
                 device == "gpu" ? "on each gpu" : "on one " + device) +
           bytes("Room for requests", fill.free_bytes,
                 fill.weights_bytes > 0 ? fmt::format("of {}, beside the weights", holds)
                                        : "all that a " + device + " has");
}

std::string single_cards(const SimulationResult& r) {
    std::string out =
        card("Batch", batch_text(r), r.batch == 1 ? "request" : "requests",
             r.batch == 0 ? "nothing fits"
             : r.requests ? fmt::format("on average, of {} with {} tokens", *r.requests,
                                        format_tokens(r.context_tokens))
                          : "of " + format_tokens(r.context_tokens) + " tokens, decoded together");
    if (r.batch == 0) return out + misfit_cards(r);
    if (r.throughput_tok_per_s) {
        out +=
            card("Throughput", figure(*r.throughput_tok_per_s), "tok/s", "all requests together");
    }
    if (r.tpot_s) out += card("Time per token", milliseconds(*r.tpot_s), "ms", "of every request");
    if (r.energy_j_per_token) {
        out += card("Energy", figure(*r.energy_j_per_token), "J/token", "of all devices");
    }
    if (r.tokens_per_usd) {
        out += card("Tokens per USD", figure(*r.tokens_per_usd), "",
                    r.usd_per_hour ? figure(*r.usd_per_hour) + " USD per hour" : "");
    }
    return out;
}

std::string many_cards(const Results& results, const ResultLabels& labels) {
    const auto fits = std::count_if(results.begin(), results.end(),
                                    [](const SimulationResult& r) { return r.batch > 0; });
    std::string out = card("What fits", fmt::format("{} of {}", fits, results.size()), "",
                           fits == 0 ? "no configuration fits" : "configurations fit");
    if (fits == 0) return out;
    const auto largest = std::max_element(
        results.begin(), results.end(),
        [](const SimulationResult& a, const SimulationResult& b) { return a.batch < b.batch; });
    const auto label = [&](int i) { return stacked(labels.labels[static_cast<std::size_t>(i)]); };
    out += card("Largest batch", fmt::format("{}", largest->batch),
                largest->batch == 1 ? "request" : "requests",
                label(static_cast<int>(largest - results.begin())));
    const auto best_card = [&](std::string_view name, std::string_view unit,
                               std::optional<double> SimulationResult::* value, bool want_largest) {
        const int best = best_of(results, value, want_largest);
        if (best < 0) return best;
        out += card(name, figure(*(results[static_cast<std::size_t>(best)].*value)), unit,
                    label(best));
        return best;
    };
    using R = SimulationResult;
    const int fastest = best_card("Best throughput", "tok/s", &R::throughput_tok_per_s, true);
    if (fastest >= 0) out += ratio_card(results, labels, static_cast<std::size_t>(fastest));
    best_card("Least energy", "J/token", &R::energy_j_per_token, false);
    best_card("Most tokens per USD", "", &R::tokens_per_usd, true);
    return out;
}

}  // namespace

std::string cards(const Results& results, const ResultLabels& labels) {
    return "<section class=\"cards\" aria-label=\"Headline figures\">\n" +
           (results.size() == 1 ? single_cards(results.front()) : many_cards(results, labels)) +
           "</section>\n";
}

}  // namespace memside::html
