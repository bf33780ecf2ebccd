// Between gguf_header.cpp and gguf_read.cpp only.
#pragma once

#include "model/gguf_header.h"

namespace memside {

// parse_gguf_header, which also says whether it failed only because `bytes` ended too early.
Result<GgufHeader> parse_gguf_prefix(std::string_view bytes, std::uint64_t file_bytes,
                                     const std::string& file, bool& wants_more);

}  // namespace memside
