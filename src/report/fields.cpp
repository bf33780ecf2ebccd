#include "report/fields.h"

namespace memside {

const std::vector<ScalarField>& scalar_fields() {
    using R = SimulationResult;
    static const std::vector<ScalarField> fields{
        {"model", &R::model},
        {"system", &R::system},
        {"policy", &R::policy},
        {"context_tokens", &R::context_tokens},
        {"batch", &R::batch},
        {"micro_batches", &R::micro_batches},
        {"budget_tokens", &R::budget_tokens},
        {"page_size_tokens", &R::page_size_tokens},
        {"kv_type", &R::kv_type},
        {"digest", &R::digest},
        {"digest_type", &R::digest_type},
        {"dense_layers", &R::dense_layers},
        {"sink_pages", &R::sink_pages},
        {"recent_pages", &R::recent_pages},
        {"overlap", &R::overlap},
        {"throughput_tok_per_s", &R::throughput_tok_per_s},
        {"tpot_s", &R::tpot_s},
        {"tpot_p50_s", &R::tpot_p50_s},
        {"tpot_p95_s", &R::tpot_p95_s},
        {"tpot_p99_s", &R::tpot_p99_s},
        {"ttft_s", &R::ttft_s},
        {"kv_fill_s", &R::kv_fill_s},
        {"prefill_energy_j", &R::prefill_energy_j},
        {"energy_j_per_token", &R::energy_j_per_token},
        {"energy_coarse_j_per_token", &R::energy_coarse_j_per_token},
        {"tokens_per_j", &R::tokens_per_j},
        {"usd_per_hour", &R::usd_per_hour},
        {"tokens_per_usd", &R::tokens_per_usd},
        {"kv_bytes_per_request", &R::kv_bytes_per_request},
        {"digest_bytes_per_request", &R::digest_bytes_per_request},
        {"kv_capacity_utilization", &R::kv_capacity_utilization},
        {"pages_selected_per_step", &R::pages_selected_per_step},
        {"pages_recalled_per_step", &R::pages_recalled_per_step},
        {"pages_recalled_stderr", &R::pages_recalled_stderr},
        {"select_sample", &R::select_sample},
        {"bytes_recalled_per_step", &R::bytes_recalled_per_step},
        {"drop_out_rate", &R::drop_out_rate},
        {"pool_tokens_per_request", &R::pool_tokens_per_request},
        {"kv_bytes_read_per_step", &R::kv_bytes_read_per_step},
        {"digest_bytes_read_per_step", &R::digest_bytes_read_per_step},
        {"gpu_utilization", &R::gpu_utilization},
        {"device_utilization", &R::device_utilization},
        {"load_imbalance", &R::load_imbalance},
        {"pim_mac_utilization", &R::pim_mac_utilization},
        {"tp", &R::tp},
        {"pp", &R::pp},
        {"requests", &R::requests},
        {"output_tokens_total", &R::output_tokens_total},
        {"simulated_s", &R::simulated_s},
        {"largest_batch", &R::largest_batch},
        {"queue_s", &R::queue_s},
        {"queue_p95_s", &R::queue_p95_s},
        {"waiting", &R::waiting},
        {"preemptions_per_request", &R::preemptions_per_request},
    };
    return fields;
}

std::optional<double> shown_mean(const ScalarField& field, const SimulationResult& result) {
    return field.key == "batch" ? result.batch_mean : std::nullopt;
}

}  // namespace memside
