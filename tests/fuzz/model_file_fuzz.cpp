// Whole GGUF files, split ones too, opened as `memside run` opens them: a model that decodes, or
// one line of error. An accepted one goes through a block of tokens and a decode step, so that
// every weight is read where it lies in the mapped file.
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "check.h"
#include "engine/decoder.h"
#include "model_file.h"

using namespace memside;
using fuzz::require;

namespace {

// A folder for the files of this process, removed when it ends without a finding.
class Folder {
  public:
    Folder() {
        std::string name = std::filesystem::temp_directory_path() / "memside-fuzz-XXXXXX";
        require(::mkdtemp(name.data()) != nullptr, "there is a folder for temporary files");
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code code;
        std::filesystem::remove_all(path_, code);
    }

    // Writes the parts under the names that a split model has, and returns the first.
    std::string write(const std::vector<std::string_view>& parts) const {
        std::string first;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const std::string path =
                path_ / fmt::format("m-{:05}-of-{:05}.gguf", i + 1, parts.size());
            std::ofstream(path, std::ios::binary) << parts[i];
            if (i == 0) first = path;
        }
        return first;
    }

  private:
    std::filesystem::path path_;
};

// Work that a fuzzer has no time for: tensors may share bytes only in so far as the file is large,
// but a file of 1 MB can describe a layer of many query heads, or thousands of layers.
bool takes_long(const engine::DecoderConfig& config) {
    const ModelSpec& spec = config.spec;
    return spec.layers > 16 || spec.hidden > 4096 || spec.ffn > 4096 || spec.vocab > 4096 ||
           spec.heads > 64 || spec.head_dim > 1024;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Folder folder;
    const auto parts = fuzz::parts_of({reinterpret_cast<const char*>(data), size});
    const auto model = engine::open_model(folder.write(parts));
    if (!model.ok()) {
        fuzz::require_one_line(model.error());
        return 0;
    }
    if (takes_long(model->config)) return 0;
    engine::DecoderOptions options;
    options.capacity_tokens = 4;
    options.threads = 1;
    const auto decoder = engine::Decoder::make(*model, options);
    require(decoder.ok(), "keys and values of four tokens fit");
    const engine::TokenId last = static_cast<engine::TokenId>(model->config.spec.vocab - 1);
    const std::array<engine::TokenId, 4> tokens{0, last, 0, last};
    require((*decoder)->feed(std::span(tokens).first(3)).ok(), "memory can be read");
    const auto logits = (*decoder)->feed(std::span(tokens).last(1)).value();
    require(logits.size() == static_cast<std::size_t>(last) + 1, "a logit per token");
    return 0;
}
