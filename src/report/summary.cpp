#include <algorithm>
#include <cmath>

#include "base/number.h"
#include "base/text.h"
#include "report/format.h"
#include "report/table.h"
#include "report/text_table.h"

namespace memside {
namespace {

constexpr int bar_width = 36;
constexpr int curve_width = 48;
constexpr auto left = TextTable::Align::left;
constexpr auto right = TextTable::Align::right;

class Summary {
  public:
    Summary(const SimulationResult& result, bool colour) : result_(result), colour_(colour) {}

    std::string text() {
        title();
        if (result_.batch == 0) {
            nothing_fits();
        } else {
            headline();
            requests();
            time();
            first_token();
        }
        memory();
        if (result_.batch != 0) {
            pages();
            energy();
            cost();
        }
        assumptions();
        return std::move(out_);
    }

  private:
    void heading(const std::string& text, const std::string& detail = "") {
        out_ += '\n';
        TextTable table({left, left});
        table.add({{text, Tone::strong}, {detail, Tone::faint}});
        out_ += table.render(terminal_columns, 0, colour_);
    }

    // Facts in a row, as many per line as fit.
    void facts(const std::vector<std::string>& texts, Tone tone) {
        std::string line;
        for (const std::string& text : texts) {
            if (!line.empty() && display_width(line + text) + 5 > terminal_columns) {
                out_ += "  " + painted(line, tone, colour_) + '\n';
                line.clear();
            }
            line += (line.empty() ? "" : "   ") + text;
        }
        if (!line.empty()) out_ += "  " + painted(line, tone, colour_) + '\n';
    }

    void title() {
        const std::string text =
            printable(fmt::format("{} on {}, {}", result_.model, result_.system, result_.policy));
        constexpr std::string_view kind = "modelled, not measured";
        const auto lines = wrapped(text, terminal_columns - static_cast<int>(kind.size()) - 2);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            out_ += painted(lines[i], Tone::strong, colour_);
            if (i == 0) {
                const int blanks =
                    terminal_columns - display_width(lines[i]) - static_cast<int>(kind.size());
                out_.append(static_cast<std::size_t>(blanks), ' ');
                out_ += painted(kind, Tone::faint, colour_);
            }
            out_ += '\n';
        }
        std::vector<std::string> texts{"context " + format_tokens(result_.context_tokens),
                                       "batch " + batch_text(result_)};
        if (result_.micro_batches > 1) {
            texts.push_back(fmt::format("in {} micro-batches", result_.micro_batches));
        }
        if (result_.budget_tokens) {
            texts.push_back("budget " + format_tokens(*result_.budget_tokens));
        }
        if (result_.page_size_tokens) {
            texts.push_back(fmt::format("pages of {} tokens", *result_.page_size_tokens));
        }
        if (result_.tp) texts.push_back(fmt::format("tp {}", *result_.tp));
        if (result_.pp) texts.push_back(fmt::format("pp {}", *result_.pp));
        texts.push_back(fmt::format("seed {}", result_.seed));
        facts(texts, Tone::faint);
    }

    void nothing_fits() {
        out_ += '\n';
        for (const std::string& line :
             wrapped(printable("Nothing fits: " + result_.reason), terminal_columns - 2)) {
            out_ += "  " + painted(line, Tone::warning, colour_) + '\n';
        }
    }

    void headline() {
        std::vector<std::string> texts;
        if (result_.throughput_tok_per_s) {
            texts.push_back(figure(*result_.throughput_tok_per_s) + " tokens/s");
        }
        if (result_.tpot_s) {
            std::string text = milliseconds(*result_.tpot_s) + " ms per token";
            if (result_.tpot_p95_s) {
                text += fmt::format(" (p95 {} ms)", milliseconds(*result_.tpot_p95_s));
            }
            texts.push_back(text);
        }
        if (result_.ttft_s) texts.push_back("first after " + format_seconds(*result_.ttft_s));
        if (result_.energy_j_per_token) {
            texts.push_back(figure(*result_.energy_j_per_token) + " J/token");
        }
        if (result_.tokens_per_usd) {
            texts.push_back(figure(*result_.tokens_per_usd) + " tokens/USD");
        }
        out_ += '\n';
        facts(texts, Tone::strong);
    }

    // Means of `value` over `curve_width` equal stretches of the curve.
    std::vector<double> curve(double ServingPoint::* value) const {
        const std::vector<ServingPoint>& points = result_.serving;
        const std::size_t width = std::min(points.size(), std::size_t{curve_width});
        std::vector<double> means(width);
        std::vector<int> counts(width);
        for (std::size_t i = 0; i < points.size(); ++i) {
            const std::size_t at = i * width / points.size();
            means[at] += points[i].*value;
            ++counts[at];
        }
        for (std::size_t at = 0; at < width; ++at) means[at] /= counts[at];
        return means;
    }

    void requests() {
        if (!result_.requests) return;
        heading("Requests over time",
                fmt::format("{} requests, {} output tokens in {}", *result_.requests,
                            *result_.output_tokens_total, format_seconds(*result_.simulated_s)));
        const auto largest = static_cast<double>(result_.largest_batch.value_or(1));
        const std::vector<double> waiting = curve(&ServingPoint::waiting);
        const double longest =
            waiting.empty() ? 0 : *std::max_element(waiting.begin(), waiting.end());
        TextTable table({left, left, left});
        table.add({{"running"},
                   {sparkline(curve(&ServingPoint::batch), largest), Tone::accent},
                   {fmt::format("{} of at most {}", batch_text(result_), figure(largest))}});
        if (longest > 0) {
            table.add({{"waiting"},
                       {sparkline(waiting, longest), Tone::accent},
                       {figure(result_.waiting.value_or(0))}});
        }
        table.add({{"live KV"},
                   {sparkline(curve(&ServingPoint::kv_live_share), 1.0), Tone::accent},
                   {percent(result_.kv_capacity_utilization.value_or(0))}});
        out_ += table.render(terminal_columns, 2, colour_);
        std::vector<std::string> texts{
            fmt::format("in the queue {} (p95 {})", format_seconds(result_.queue_s.value_or(0)),
                        format_seconds(result_.queue_p95_s.value_or(0)))};
        if (result_.load_imbalance) {
            texts.push_back("fullest device over the mean " + figure(*result_.load_imbalance));
        }
        if (result_.preemptions_per_request.value_or(0) > 0) {
            texts.push_back(figure(*result_.preemptions_per_request) +
                            " times sent back per request");
        }
        facts(texts, Tone::faint);
    }

    // Names with a figure, its share of the whole and a bar.
    void bars(const std::vector<std::pair<std::string, double>>& parts, double whole,
              std::string (*in_unit)(double), const char* unit) {
        TextTable table({left, right, right, left});
        for (const auto& [name, value] : parts) {
            const double share = whole > 0 ? value / whole : 0;
            table.add({{name},
                       {in_unit(value) + unit},
                       {share > 1 ? ">100 %" : percent(share)},
                       {share_bar(share, bar_width), Tone::accent}});
        }
        out_ += table.render(terminal_columns, 2, colour_);
    }

    void time() {
        if (result_.phases.empty()) return;
        double step_s = 0;
        std::vector<std::pair<std::string, double>> parts;
        for (const PhaseTime& phase : result_.phases) {
            parts.emplace_back(phase.name, phase.time_s);
            step_s += phase.time_s;
        }
        std::vector<std::string> busy;
        if (result_.gpu_utilization) busy.push_back("GPUs " + percent(*result_.gpu_utilization));
        if (result_.device_utilization) {
            busy.push_back("devices " + percent(*result_.device_utilization));
        }
        if (result_.pim_mac_utilization) {
            busy.push_back("PIM MACs " + percent(*result_.pim_mac_utilization));
        }
        heading(result_.requests ? "Time of an output token" : "Time of one step",
                milliseconds(step_s) + " ms" + (busy.empty() ? "" : "; busy: " + join(busy, ", ")));
        bars(parts, step_s, milliseconds, " ms");
    }

    void first_token() {
        if (result_.prefill.empty()) return;
        double whole_s = 0;
        std::vector<std::pair<std::string, double>> parts;
        for (const PhaseTime& phase : result_.prefill) {
            parts.emplace_back(phase.name, phase.time_s);
            whole_s += phase.time_s;
        }
        heading("Time to the first token", figure(whole_s) + " s, one request alone");
        bars(parts, whole_s, figure, " s");
        std::vector<std::string> texts;
        if (result_.kv_fill_s) {
            texts.push_back("moving its KV takes " + figure(*result_.kv_fill_s) +
                            " s, mostly while it computes");
        }
        if (result_.prefill_energy_j) {
            texts.push_back("prefill " + figure(*result_.prefill_energy_j) + " J");
        }
        facts(texts, Tone::faint);
    }

    void memory() {
        if (!result_.capacity) return;
        const SimulationResult::Capacity& capacity = *result_.capacity;
        const MemoryFill fill = memory_fill(result_, capacity);
        heading("Memory of one " + capacity.device,
                short_bytes(capacity.capacity_bytes) +
                    (capacity.device == "gpu" ? " after the reserve" : "") +
                    (capacity.devices > 1 ? fmt::format("; {} alike", capacity.devices) : ""));
        const bool fits = result_.batch != 0;
        std::vector<std::pair<std::string, double>> parts;
        if (fill.weights_bytes > 0) parts.emplace_back("weights", fill.weights_bytes);
        // Nothing is known of a request when the weights alone are too large.
        if (fits || fill.weights_fit()) {
            parts.emplace_back(fits ? "KV" : "KV of one request", fill.kv_bytes);
        }
        if (fill.digest_bytes > 0) {
            parts.emplace_back(fits ? "digests" : "its digests", fill.digest_bytes);
        }
        parts.emplace_back(fits                 ? "free"
                           : fill.weights_fit() ? "left for it"
                                                : "left for KV",
                           fill.free_bytes);
        bars(parts, fill.capacity_bytes, short_bytes, "");
        if (!fits) return;
        std::vector<std::string> texts{fmt::format("{} request{} on it",
                                                   capacity.requests_per_device,
                                                   capacity.requests_per_device == 1 ? "" : "s")};
        if (result_.kv_bytes_per_request) {
            std::string text =
                "KV per request " + short_bytes(static_cast<double>(*result_.kv_bytes_per_request));
            if (result_.digest_bytes_per_request) {
                text += " + digests " +
                        short_bytes(static_cast<double>(*result_.digest_bytes_per_request));
            }
            texts.push_back(text);
        }
        if (result_.kv_capacity_utilization) {
            texts.push_back("KV capacity used " + percent(*result_.kv_capacity_utilization));
        }
        facts(texts, Tone::faint);
    }

    void pages() {
        if (!result_.pages_selected_per_step) return;
        heading("Pages per request and layer",
                result_.select_sample
                    ? fmt::format("mean over a sample of {}", *result_.select_sample)
                    : "");
        std::vector<std::string> texts{figure(*result_.pages_selected_per_step) + " selected"};
        if (result_.pages_recalled_per_step) {
            texts.push_back(figure(*result_.pages_recalled_per_step) + " recalled");
            if (result_.pages_recalled_stderr) {
                texts.back() += " ± " + figure(*result_.pages_recalled_stderr);
            }
        }
        facts(texts, Tone::plain);
        texts.clear();
        const auto bytes = [&](const char* what, const std::optional<double>& value) {
            if (!value) return;
            texts.push_back(fmt::format("{}{} {}", texts.empty() ? "per step, whole batch: " : "",
                                        what, short_bytes(*value)));
        };
        bytes("KV read", result_.kv_bytes_read_per_step);
        bytes("digests read", result_.digest_bytes_read_per_step);
        bytes("recalled", result_.bytes_recalled_per_step);
        facts(texts, Tone::plain);
    }

    void energy() {
        if (result_.energy.empty()) return;
        double whole = 0;
        std::vector<std::pair<std::string, double>> parts;
        for (const EnergyShare& share : result_.energy) {
            parts.emplace_back(share.name, share.j_per_token);
            whole += share.j_per_token;
        }
        heading("Energy of one token",
                figure(whole) + " J" +
                    (result_.energy_coarse_j_per_token
                         ? fmt::format("; device power x time gives {} J",
                                       figure(*result_.energy_coarse_j_per_token))
                         : ""));
        bars(parts, whole, figure, " J");
    }

    void cost() {
        if (!result_.usd_per_hour) return;
        heading("Cost");
        std::vector<std::string> texts{figure(*result_.usd_per_hour) +
                                       " USD per hour, electricity included"};
        if (result_.tokens_per_usd) {
            texts.push_back(figure(*result_.tokens_per_usd) + " tokens per USD");
        }
        facts(texts, Tone::plain);
    }

    void assumptions() {
        const std::vector<Assumption> all = all_assumptions(result_);
        const auto assumed = std::count_if(result_.constants.begin(), result_.constants.end(),
                                           [](const Constant& c) { return c.assumed(); });
        if (!all.empty()) {
            heading("Assumptions");
            TextTable table({left, left, left});
            for (const Assumption& assumption : all) {
                table.add({{assumption.key}, {assumption.value}, {assumption.source, Tone::faint}});
            }
            out_ += table.render(terminal_columns, 2, colour_);
        }
        if (!result_.constants.empty()) {
            facts({fmt::format("{} constants read, {} of them assumed; --json and --report list "
                               "all with their sources",
                               result_.constants.size(), assumed)},
                  Tone::faint);
        }
    }

    const SimulationResult& result_;
    bool colour_;
    std::string out_;
};

}  // namespace

std::string summary(const SimulationResult& result, bool colour) {
    return Summary(result, colour).text();
}

}  // namespace memside
