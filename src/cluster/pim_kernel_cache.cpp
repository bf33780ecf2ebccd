// Times of kernels, remembered by shape. The file holds a line for each and a checksum at its end;
// its name has a hash of everything that the times follow from, so that another description, or
// another version of the programs, has another file.
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include "base/checksum.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "base/text.h"
#include "cluster/pim_kernels.h"
#include "pim/dynamic/dynamic_binary.h"
#include "pim/kernels/kernel.h"
#include "pim/run_names.h"

namespace memside {
namespace {

namespace fs = std::filesystem;

// Raised when programs or the simulation change what a kernel takes.
constexpr int kernel_version = 3;
constexpr std::size_t max_file_bytes = std::size_t{64} << 20;

using Times = std::map<std::string, PimKernelTime>;

std::string described(const PimDescription& description) {
    std::string text = fmt::format("version {}\n", kernel_version);
    for (const auto* constants : {&description.timing.constants, &description.hub.constants}) {
        for (const dram::SourcedConstant& constant : *constants) {
            text += fmt::format("{}={}\n", constant.path, constant.text);
        }
    }
    return text;
}

std::string file_name(const PimDescription& description) {
    const std::string text = described(description);
    return fmt::format("{:08x}{:08x}.txt", crc32(text), crc32c(std::as_bytes(std::span(text))));
}

constexpr double PimBlock::* block_times[] = {&PimBlock::scores_s, &PimBlock::softmax_s,
                                              &PimBlock::sums_s, &PimBlock::accumulate_s};
constexpr std::size_t block_words = 3 + std::size(block_times);

std::string line_of(const std::string& key, const PimKernelTime& time) {
    std::string line = fmt::format("{} {:.17g} {:.17g} {:.17g} {:.17g} {:.17g}", key, time.time_s,
                                   time.hub_s, time.open_channel_s, time.scan_s, time.top_k_s);
    for (const std::uint64_t count : time.commands) line += fmt::format(" {}", count);
    for (const PimBlock& block : time.blocks) {
        line += fmt::format(" {} {} {}", block.repeats, block.first ? 1 : 0, block.waits ? 1 : 0);
        for (const double PimBlock::* part : block_times) {
            line += fmt::format(" {:.17g}", block.*part);
        }
    }
    return line;
}

std::string checked(const std::string& lines) {
    return fmt::format("{}end {:08x}\n", lines, crc32(lines));
}

template <typename T>
bool parse(std::string_view text, T& value) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc() && end == text.data() + text.size();
}

bool parse(const std::string* words, PimBlock& block) {
    int first = 0;
    int waits = 0;
    bool good = parse(words[0], block.repeats) && parse(words[1], first) && parse(words[2], waits);
    block.first = first != 0;
    block.waits = waits != 0;
    for (std::size_t i = 0; i < std::size(block_times); ++i) {
        good = good && parse(words[3 + i], block.*block_times[i]);
    }
    return good && block.repeats > 0;
}

// Nothing of a file that is damaged: it is a cache.
Times read_times(const std::string& path) {
    const Result<std::string> text = read_file(path, max_file_bytes);
    if (!text.ok()) return {};
    const std::size_t end = text->rfind("end ");
    if (end == std::string::npos || checked(text->substr(0, end)) != *text) return {};
    Times times;
    for (const std::string& line : split(std::string_view(*text).substr(0, end), '\n')) {
        if (line.empty()) continue;
        const std::vector<std::string> words = split(line, ' ');
        PimKernelTime time;
        const std::size_t fixed = 6 + time.commands.size();
        if (words.size() < fixed || (words.size() - fixed) % block_words != 0) return {};
        bool good = parse(words[1], time.time_s) && parse(words[2], time.hub_s) &&
                    parse(words[3], time.open_channel_s) && parse(words[4], time.scan_s) &&
                    parse(words[5], time.top_k_s);
        for (std::size_t i = 0; i < time.commands.size(); ++i) {
            good = good && parse(words[6 + i], time.commands[i]);
        }
        for (std::size_t i = fixed; i < words.size() && good; i += block_words) {
            good = parse(&words[i], time.blocks.emplace_back());
        }
        if (!good) return {};
        times.emplace(words[0], time);
    }
    return times;
}

}  // namespace

struct RememberedKernels::Store {
    std::string path;  // "" without a file
    Times from_file;
    Times known;
};

RememberedKernels::RememberedKernels(PimKernels& kernels, const PimDescription& description,
                                     const PimProgramOptions& options, std::string folder)
    : kernels_(kernels), options_(options), store_(std::make_unique<Store>()) {
    if (options.attention) program_checksum_ = crc32(pim::to_binary(*options.attention));
    if (folder.empty()) return;
    store_->path = (fs::path(folder) / file_name(description)).string();
    store_->from_file = read_times(store_->path);
}

RememberedKernels::~RememberedKernels() = default;

Result<PimKernelTime> RememberedKernels::look_up(
    const std::string& key, const std::function<Result<PimKernelTime>()>& run) {
    const std::string name = fmt::format("{}.{}.{}.{}", pim::scheduler_name(options_.scheduler),
                                         options_.refresh ? "refresh" : "no-refresh",
                                         options_.row_reuse ? "reuse" : "no-reuse", key);
    if (const auto found = store_->known.find(name); found != store_->known.end()) {
        ++statistics_.from_memory;
        return found->second;
    }
    if (const auto found = store_->from_file.find(name); found != store_->from_file.end()) {
        ++statistics_.from_file;
        return store_->known.emplace(name, found->second).first->second;
    }
    MEMSIDE_TRY(const PimKernelTime time, run());
    ++statistics_.simulated;
    return store_->known.emplace(name, time).first->second;
}

Result<PimKernelTime> RememberedKernels::attention(const PimAttention& shape) {
    const bool tcp = options_.partition == PimPartition::tcp;
    const pim::KvLayout values =
        tcp ? pim::KvLayout::tcp(pim::KvKind::value, shape.head_dim, pim::channel_count)
            : pim::KvLayout::hfp(pim::KvKind::value, shape.head_dim, pim::channel_count, 1);
    PimAttention whole = shape;
    const std::int64_t granule = values.granule();
    whole.tokens = (shape.tokens + granule - 1) / granule * granule;
    std::string key =
        fmt::format("attention.{}.{}.{}.{}.{}{}", tcp ? "tcp" : "hfp", whole.pairs, whole.group,
                    whole.head_dim, whole.tokens, whole.doubled ? ".doubled" : "");
    if (options_.attention) key += fmt::format(".of-{:08x}", program_checksum_);
    return look_up(key, [&] { return kernels_.attention(whole); });
}

Result<PimKernelTime> RememberedKernels::gemv(const PimGemv& shape) {
    return look_up(fmt::format("gemv.{}.{}", shape.rows, shape.columns),
                   [&] { return kernels_.gemv(shape); });
}

Result<PimKernelTime> RememberedKernels::selected(const PimSelected& shape) {
    const auto bytes = std::as_bytes(std::span(shape.pages));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::string key =
        fmt::format("selected.{}.{}.{}.{}.{}.{:08x}{:08x}{}", shape.group, shape.head_dim,
                    shape.tokens, shape.page_tokens, shape.pages.size(), crc32(text), crc32c(bytes),
                    shape.doubled ? ".doubled" : "");
    return look_up(key, [&] { return kernels_.selected(shape); });
}

Status RememberedKernels::save() {
    if (store_->path.empty() || statistics_.simulated == 0) return {};
    std::error_code code;
    fs::create_directories(fs::path(store_->path).parent_path(), code);
    // What others have added since then stays.
    Times all = read_times(store_->path);
    for (const auto& [key, time] : store_->known) all.insert_or_assign(key, time);
    std::string lines;
    for (const auto& [key, time] : all) lines += line_of(key, time) + '\n';
    OutputSet output;
    output.add(store_->path, checked(lines));
    return output.commit();
}

std::string default_pim_cache_folder() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return fs::path(value == nullptr ? "" : value);
    };
    fs::path folder = variable("XDG_CACHE_HOME");
    if (folder.empty() && !variable("HOME").empty()) folder = variable("HOME") / ".cache";
    return folder.empty() ? "" : (folder / "memside" / "pim-kernels").string();
}

}  // namespace memside
