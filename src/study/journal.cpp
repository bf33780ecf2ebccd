#include "study/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "report/json.h"

namespace memside {
namespace {

constexpr std::size_t max_journal_bytes = std::size_t{2} << 30;
constexpr std::size_t max_input_bytes = std::size_t{1} << 30;

// FNV-1a, 64 bits; every part is ended, so that parts cannot run into each other.
class Hash {
  public:
    void add(std::string_view text) {
        for (const char c : text) step(static_cast<unsigned char>(c));
        step(0);
    }
    template <typename... Numbers>
    void add_numbers(const Numbers&... numbers) {
        (add(fmt::format("{}", numbers)), ...);
    }
    std::string text() const { return fmt::format("{:016x}", value_); }

  private:
    void step(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001B3U; }
    std::uint64_t value_ = 0xCBF29CE484222325U;
};

void add_model(const ModelSpec& model, Hash& hash) {
    hash.add(model.name);
    hash.add(architecture_name(model.architecture));
    hash.add(model.weight_type);
    hash.add_numbers(model.layers, model.hidden, model.heads, model.kv_heads, model.head_dim,
                     model.ffn, model.vocab, model.window_tokens, model.tied_embeddings,
                     model.sliding_window_tokens);
    for (const bool slides : model.sliding) hash.add_numbers(slides);
    const ModelWeights& weights = model.weights;
    for (const WeightPart* part :
         {&weights.qkv, &weights.attn_out, &weights.ffn_up, &weights.ffn_down, &weights.norms,
          &weights.embedding, &weights.lm_head}) {
        hash.add_numbers(part->parameters, part->bytes);
    }
}

}  // namespace

std::string fingerprint(const SimulationRequest& request) {
    Hash hash;
    hash.add(MEMSIDE_VERSION);
    for (const auto& [key, value] : request.settings) {
        hash.add(key);
        hash.add(value);
        if (key != "workload" && key != "scores") continue;
        const Result<std::string> content = read_file(value, max_input_bytes);
        if (content.ok()) hash.add(*content);
    }
    add_model(request.model, hash);
    for (const auto& [role, component] : request.system.components) {
        hash.add(role);
        hash.add(component.name);
        hash.add_numbers(component.count);
        for (const auto& [key, constant] : component.constants) {
            hash.add(key);
            hash.add(constant.text);
            hash.add(constant.source);
        }
    }
    return hash.text();
}

std::map<std::string, SimulationResult> Journal::read(const std::string& path) {
    std::map<std::string, SimulationResult> results;
    const Result<std::string> text = read_file(path, max_journal_bytes);
    if (!text.ok()) return results;
    std::string_view rest = *text;
    for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos;
         rest.remove_prefix(end + 1)) {
        const std::string_view line = rest.substr(0, end);
        const std::size_t blank = line.find(' ');
        if (blank == std::string_view::npos) continue;
        Result<SimulationResult> result = from_json(line.substr(blank + 1), path);
        if (result.ok()) {
            results.insert_or_assign(std::string(line.substr(0, blank)), std::move(*result));
        }
    }
    return results;
}

Status Journal::write(const std::string& path,
                      const std::vector<std::pair<std::string, std::string>>& lines) {
    std::string text;
    for (const auto& [key, json] : lines) text += key + ' ' + json + '\n';
    OutputSet outputs;
    outputs.add(path, std::move(text));
    return outputs.commit();
}

Status Journal::append(const std::string& key, const std::string& json) {
    const std::lock_guard lock(mutex_);
    const std::string line = key + ' ' + json + '\n';
    const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    const bool written =
        file >= 0 && ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    const int error = errno;
    if (file >= 0) ::close(file);
    if (written) return {};
    return Error{path_, fmt::format("cannot write: {}", std::strerror(error)),
                 Error::Kind::environment};
}

std::string json_line(const SimulationResult& result) {
    std::string line;
    // Inside a text a line break is written as \n, so every raw one is layout.
    bool at_start = false;
    for (const char c : to_json(result)) {
        if (c == '\n') {
            at_start = true;
        } else if (!at_start || c != ' ') {
            at_start = false;
            line += c;
        }
    }
    return line;
}

}  // namespace memside
