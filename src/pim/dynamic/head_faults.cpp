#include "pim/dynamic/head_faults.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "pim/kernels/kernel.h"

namespace memside::pim {
namespace {

using Problem = std::optional<std::string>;

constexpr std::size_t most_table_values = 1U << 15;  // a pair of the widest head each

}  // namespace

bool printable_name(std::string_view text) {
    return text.size() <= max_name_bytes && std::all_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
           });
}

Problem head_fault(const DynamicProgram& p) {
    if (!printable_name(p.model) || !printable_name(p.target)) {
        return "the model or target text is too long or has control characters";
    }
    if (p.channels < 1 || p.channels > channel_count) {
        return fmt::format("{} channels; allowed: 1 to {}", p.channels, channel_count);
    }
    if (p.chunk_rows < 1 || p.chunk_rows > rows_per_bank) {
        return fmt::format("chunks of {} rows; allowed: 1 to {}", p.chunk_rows, rows_per_bank);
    }
    if (p.max_tokens > max_request_tokens || p.block_tokens > max_request_tokens) {
        return fmt::format("{} tokens, blocks of {}; allowed: up to {}", p.max_tokens,
                           p.block_tokens, max_request_tokens);
    }
    if (p.stage.stages < 1 || p.stage.stage >= p.stage.stages) {
        return fmt::format("stage {} of {}", p.stage.stage, p.stage.stages);
    }
    if (p.items.size() > max_dynamic_items) {
        return fmt::format("{} items; allowed: up to {}", p.items.size(), max_dynamic_items);
    }
    if (p.entries.size() > max_dynamic_entries || p.regions.size() > max_dynamic_regions) {
        return fmt::format("{} entries, {} regions; allowed: up to {} and {}", p.entries.size(),
                           p.regions.size(), max_dynamic_entries, max_dynamic_regions);
    }
    return std::nullopt;
}

Problem tables_fault(const DynamicProgram& program) {
    const TokenShare& share = program.share;
    if (share.modules < 1 || share.modules > max_token_modules || share.index != 0) {
        return fmt::format("{} modules share the tokens; allowed: 1 to {}", share.modules,
                           max_token_modules);
    }
    if ((share.modules > 1) != (share.block > 0) || share.block > max_request_tokens) {
        return fmt::format("{} modules share the tokens in blocks of {}", share.modules,
                           share.block);
    }
    if (program.tables.size() > max_dynamic_tables) {
        return fmt::format("{} tables; allowed: up to {}", program.tables.size(),
                           max_dynamic_tables);
    }
    for (const std::vector<float>& table : program.tables) {
        if (table.empty() || table.size() > most_table_values) {
            return fmt::format("a table of {} values; allowed: 1 to {}", table.size(),
                               most_table_values);
        }
        for (const float value : table) {
            if (std::isfinite(value) && value > 0) continue;
            return fmt::format("a table has the value {}; divisors are above 0", value);
        }
    }
    return std::nullopt;
}

Problem region_fault(const Region& region) {
    if (!printable_name(region.name)) return "the name is too long or has control characters";
    if (region.rows > rows_per_bank) {
        return fmt::format("{} rows are above {}", region.rows, rows_per_bank);
    }
    if (region.per_request) {
        if (region.first_row != 0) return "a request's region has a first row";
        if ((region.span_tokens == 0) != (region.span_rows == 0)) {
            return fmt::format("{} tokens take {} rows; both are 0 or none", region.span_tokens,
                               region.span_rows);
        }
        return std::nullopt;
    }
    if (region.span_tokens != 0 || region.span_rows != 0) {
        return "rows that follow the tokens, in a region that is no request's";
    }
    if (region.rows == 0) return "no rows";
    if (region.first_row + std::uint64_t{region.rows} > rows_per_bank) {
        return fmt::format("row {} and the {} after it end above {}", region.first_row,
                           region.rows - 1, rows_per_bank - 1);
    }
    return std::nullopt;
}

}  // namespace memside::pim
