// Any bytes as a file of page scores: parse_scores returns a source that can be read to its end, or
// an Error of one line. Bytes are tried as they are and with the checksum that their records would
// need, so that the search is not stopped by it.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "kv/scores_recorded.h"

namespace {

using memside::kv::ScoreFileEnd;

void require(bool holds) {
    if (!holds) std::abort();
}

void parse(std::string content) {
    const std::size_t size = content.size();
    const auto result = memside::kv::parse_scores(std::move(content), "fuzz.scores");
    if (!result.ok()) {
        require(result.error().message().find('\n') == std::string::npos);
        return;
    }
    const auto& source = **result;
    const auto extent = source.extent();
    std::size_t scores = 0;
    for (std::int64_t request = 0; request < extent.requests; ++request) {
        for (std::int64_t layer = 0; layer < extent.layers; ++layer) {
            const auto stream = source.open(request, layer);
            for (std::int64_t step = 0; step < extent.steps; ++step) {
                for (const float score : stream->next()) {
                    require(std::isfinite(score));
                    ++scores;
                }
            }
        }
    }
    require(scores >= 1 && scores * sizeof(float) < size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string content(reinterpret_cast<const char*>(data), size);
    parse(content);
    if (size % sizeof(std::uint32_t) == 0 && size >= sizeof(ScoreFileEnd)) {
        memside::kv::ScoreChecksum checksum;
        checksum.add(std::string_view(content).substr(0, size - sizeof(ScoreFileEnd)));
        const std::uint64_t value = checksum.value();
        std::memcpy(content.data() + size - sizeof value, &value, sizeof value);
        parse(std::move(content));
    }
    return 0;
}
