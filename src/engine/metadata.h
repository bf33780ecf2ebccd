// Single values from a GGUF file's metadata, whatever width they are written with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/gguf_header.h"

namespace memside::engine {

class Metadata {
  public:
    // `file` is named in messages. Both must outlive this.
    Metadata(const GgufHeader& header, const std::string& file) : header_(header), file_(file) {}

    // Absent keys give nothing; a value of another kind is bad input.
    Result<std::optional<double>> number(const std::string& key) const;
    Result<std::optional<std::string>> text(const std::string& key) const;

    // A number in [low, high], or `fallback` when the key is absent.
    Result<double> number_in(const std::string& key, double fallback, double low,
                             double high) const;

    // bad_input about a key, whose value is `problem`.
    Error error(const std::string& key, std::string_view problem) const;

  private:
    const GgufHeader& header_;
    const std::string& file_;
};

}  // namespace memside::engine
