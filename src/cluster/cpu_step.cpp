#include "cluster/cpu_step.h"

#include <cmath>

#include "engine/loop_parts.h"
#include "kv/digest_storage.h"

namespace memside {
namespace {

bool rounds_activations(const std::string& type) {
    return type != "f32" && type != "f16" && type != "bf16";
}

class CpuStep {
  public:
    CpuStep(const CpuMachine& machine, const DecodeJob& job, bool selects, const CpuPages& pages)
        : machine_(machine),
          one_(machine.one()),
          job_(job),
          model_(job.model),
          selects_(selects),
          pages_(pages),
          core_(step_.graph.add_resource("cores", "cpu")) {
        const ModelWeights& w = model_.weights;
        qkv_ = weight_type_of(model_, w.qkv);
        attn_out_ = weight_type_of(model_, w.attn_out);
        ffn_up_ = weight_type_of(model_, w.ffn_up);
        ffn_down_ = weight_type_of(model_, w.ffn_down);
        output_ = weight_type_of(model_, model_.tied_embeddings ? w.embedding : w.lm_head);
        page_bytes_ = stored_page_bytes(
            job.format.value_type, static_cast<double>(job.format.page_tokens), model_.head_dim);
        // What a step reads again in the next one: kept by the cache only if all of it fits.
        cold_ = static_cast<double>(w.bytes()) + read_of_kv() > machine.cache_bytes();
    }

    StepPlan plan() {
        add("embedding", "fc", -1, model_.hidden * one_.add_s, 0.0);
        for (int layer = 0; layer < model_.layers; ++layer) {
            project(layer);
            if (selects_ && kv::selects(model_, job_.format, layer)) {
                attend_selected(layer);
            } else {
                attend_all(layer);
            }
            feed_forward(layer);
        }
        add("norm", "fc", -1, norm_s(output_), 0.0);
        matmul("output", -1, output_, model_.vocab, model_.hidden);
        return std::move(step_);
    }

  private:
    double tokens() const { return static_cast<double>(job_.context_tokens + 1); }
    double page_tokens() const { return static_cast<double>(job_.format.page_tokens); }
    double page_count() const { return std::ceil(tokens() / page_tokens()); }
    double query_width() const { return static_cast<double>(model_.heads) * model_.head_dim; }
    double kv_width() const { return static_cast<double>(model_.kv_heads) * model_.head_dim; }

    double read_of_kv() const {
        double pages = 0.0;
        for (int layer = 0; layer < model_.layers; ++layer) {
            const bool selecting = selects_ && kv::selects(model_, job_.format, layer);
            pages += selecting ? pages_.selected : pages_of(layer);
        }
        return pages * model_.kv_heads * page_bytes_;
    }

    // Pages that a layer attends when it does not select.
    double pages_of(int layer) const {
        const auto kept = static_cast<double>(model_.kept_tokens(layer, job_.context_tokens + 1));
        const double first = std::floor((tokens() - kept) / page_tokens());
        return page_count() - first;
    }

    // A norm over the hidden values, rounded for the product that follows.
    double norm_s(const std::string& type) const {
        return model_.hidden * (one_.norm_s + (rounds_activations(type) ? one_.round_s : 0.0));
    }
    double round_s(const std::string& type, double values) const {
        return rounds_activations(type) ? values * one_.round_s : 0.0;
    }

    void add(std::string_view name, std::string_view phase, int layer, double seconds,
             double bytes) {
        Task task;
        task.name = name;
        task.phase = phase;
        task.resource = core_;
        task.layer = layer;
        task.duration_s = seconds;
        task.bytes = bytes;
        last_ = {step_.graph.add(task, last_)};
    }

    void matmul(std::string_view name, int layer, const std::string& type, double rows,
                double columns) {
        add(name, "fc", layer, machine_.matmul_s(type, rows, columns, cold_),
            rows * weight_row_bytes(type, columns));
    }

    void project(int layer) {
        const bool qk_norm = model_.architecture == Architecture::qwen3 ||
                             model_.architecture == Architecture::gemma3;
        add("norm", "fc", layer, norm_s(qkv_), 0.0);
        matmul("query", layer, qkv_, query_width(), model_.hidden);
        matmul("key", layer, qkv_, kv_width(), model_.hidden);
        matmul("value", layer, qkv_, kv_width(), model_.hidden);
        const double turned = query_width() + kv_width();
        const double biased =
            model_.architecture == Architecture::qwen2 ? query_width() + 2.0 * kv_width() : 0.0;
        add("rotate and store", "fc", layer,
            biased * one_.add_s + turned * (one_.turn_s + (qk_norm ? one_.norm_s : 0.0)) +
                2.0 * kv_width() * one_.store_s,
            0.0);
    }

    // Partial results: cleared, and merged value by value.
    double merge_s(double parts) const { return parts * query_width() * one_.add_s; }

    PageLoad load(double pages) const {
        PageLoad load;
        load.pages = pages * model_.kv_heads;
        load.page_tokens = page_tokens();
        load.page_bytes = page_bytes_;
        load.head_dim = model_.head_dim;
        load.rows = model_.group_size();
        return load;
    }

    void attend(int layer, const PageLoad& load, double extra_s) {
        const double bytes = load.pages * load.page_bytes;
        step_.kv_bytes_read += bytes;
        add("attention", "attention", layer,
            extra_s + machine_.attention_s(load, job_.format.value_type, cold_), bytes);
    }

    static double parts_of(double pages) {
        return static_cast<double>(engine::attention_parts(static_cast<std::int64_t>(pages)));
    }

    void attend_all(int layer) {
        PageLoad all = load(pages_of(layer));
        const double parts = parts_of(pages_of(layer));
        const double head_parts =
            parts >= machine_.threads()
                ? 1.0
                : std::min(static_cast<double>(model_.kv_heads), machine_.threads());
        all.jobs = parts * head_parts;
        all.in_order = true;
        attend(layer, all, merge_s(parts));
    }

    // Page sets are those of KV heads, as is the engine's default.
    void attend_selected(int layer) {
        const double sets = model_.kv_heads;
        const double pages = page_count();
        add("digest", "scoring", layer, kv_width() * one_.digest_s, 0.0);
        if (pages > pages_.selected) {
            const double digests =
                pages * sets *
                static_cast<double>(kv::digest_bytes(model_.head_dim, job_.format.digest_type));
            step_.digest_bytes_read += digests;
            add("select", "scoring", layer,
                machine_.select_s(pages, sets, model_.head_dim, query_width(), sets,
                                  job_.format.digest_type),
                digests);
        }
        const double copies = pages_.recalled * sets;
        if (pages_.resident > 0.0) {
            step_.bytes_recalled += copies * page_bytes_;
            add("recall", "recall", layer,
                machine_.recall_s(sets, pages_.selected + pages_.resident, copies, page_bytes_),
                copies * page_bytes_);
        }
        PageLoad chosen = load(pages_.selected);
        chosen.cached_pages = copies;
        const double parts = parts_of(pages_.selected);
        chosen.jobs = sets * parts;
        const double listing = pages_.resident > 0.0
                                   ? (pages_.selected + pages_.resident) * one_.lookup_s
                                   : pages_.selected * one_.list_s;
        attend(layer, chosen, sets * listing + merge_s(parts));
    }

    void feed_forward(int layer) {
        const double hidden = model_.hidden;
        const bool post_norm = model_.architecture == Architecture::gemma3;
        const double join = hidden * (one_.add_s + (post_norm ? one_.norm_s : 0.0));
        add("round", "fc", layer, round_s(attn_out_, query_width()), 0.0);
        matmul("attention output", layer, attn_out_, hidden, query_width());
        add("norm", "fc", layer, join + norm_s(ffn_up_), 0.0);
        matmul("gate", layer, ffn_up_, model_.ffn, hidden);
        matmul("up", layer, ffn_up_, model_.ffn, hidden);
        add("activation", "fc", layer, model_.ffn * one_.gate_s + round_s(ffn_down_, model_.ffn),
            0.0);
        matmul("down", layer, ffn_down_, hidden, model_.ffn);
        add("join", "fc", layer, join, 0.0);
    }

    const CpuMachine& machine_;
    const CpuRates& one_;
    const DecodeJob& job_;
    const ModelSpec& model_;
    bool selects_;
    CpuPages pages_;
    StepPlan step_;
    ResourceId core_;
    std::vector<TaskId> last_;
    std::string qkv_, attn_out_, ffn_up_, ffn_down_, output_;
    double page_bytes_ = 0;
    bool cold_ = true;
};

}  // namespace

std::string weight_type_of(const ModelSpec& model, const WeightPart& part) {
    const double wanted = static_cast<double>(part.bytes) / static_cast<double>(part.parameters);
    std::string best = model.weight_type;
    double least = -1.0;
    for (const std::string_view type : measured_weight_types()) {
        constexpr double values = 256;  // a multiple of every block
        const double distance = std::abs(weight_row_bytes(type, values) / values - wanted);
        const bool equal = least >= 0.0 && std::abs(distance - least) < 1e-9;
        if (least < 0.0 || (!equal && distance < least) || (equal && type == model.weight_type)) {
            best = type;
            least = distance;
        }
    }
    return best;
}

StepPlan plan_cpu_step(const CpuMachine& machine, const DecodeJob& job, bool selects,
                       const CpuPages& pages) {
    return CpuStep(machine, job, selects, pages).plan();
}

}  // namespace memside
