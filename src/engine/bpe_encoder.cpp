// Byte-level BPE.
#include <bit>

#include "base/text.h"
#include "engine/byte_alphabet.h"
#include "engine/merge.h"
#include "engine/pre_tokenizer.h"
#include "engine/text_encoder.h"

namespace memside::engine {
namespace {

// Pairs of tokens and what they merge to: open addressing, since every pair of neighbours of every
// new word is looked up.
class MergeTable {
  public:
    explicit MergeTable(std::size_t count)
        : entries_(std::bit_ceil(2 * count + 2)), mask_(entries_.size() - 1) {}

    // The first merge of a pair counts.
    void add(std::int32_t left, std::int32_t right, Merge merge) {
        Entry& entry = entries_[slot(key(left, right))];
        if (entry.key == empty) entry = {key(left, right), merge};
    }

    std::optional<Merge> find(std::int32_t left, std::int32_t right) const {
        const Entry& entry = entries_[slot(key(left, right))];
        return entry.key == empty ? std::nullopt : std::optional(entry.merge);
    }

  private:
    static constexpr std::uint64_t empty = UINT64_MAX;
    struct Entry {
        std::uint64_t key = empty;
        Merge merge;
    };

    static std::uint64_t key(std::int32_t left, std::int32_t right) {
        return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 |
               static_cast<std::uint32_t>(right);
    }

    // Where the key is, or the empty slot where it would be; at most half are taken.
    std::size_t slot(std::uint64_t key) const {
        std::size_t i = (key * 0x9E3779B97F4A7C15ULL) >> 20 & mask_;
        while (entries_[i].key != empty && entries_[i].key != key) i = (i + 1) & mask_;
        return i;
    }

    std::vector<Entry> entries_;
    std::size_t mask_;
};

class BpeEncoder : public TextEncoder {
  public:
    BpeEncoder(const Vocabulary& vocabulary, const PreTokenizer& pre_tokenizer, MergeTable merges)
        : vocabulary_(vocabulary), pre_tokenizer_(pre_tokenizer), merges_(std::move(merges)) {}

    void encode(std::string_view text, bool, PieceMemo& memo,
                std::vector<std::int32_t>& tokens) const override {
        std::size_t first = 0;
        for (const std::size_t last : pre_tokenizer_.piece_ends(text)) {
            memo.append(
                text.substr(first, last - first),
                [this](std::string_view piece, auto& out) { encode_piece(piece, out); }, tokens);
            first = last;
        }
    }

  private:
    void encode_piece(std::string_view piece, std::vector<std::int32_t>& tokens) const {
        if (pre_tokenizer_.whole_piece_first) {
            const std::int32_t whole = vocabulary_.find(to_byte_alphabet(piece));
            if (whole >= 0 && vocabulary_.kind(whole) == TokenKind::normal) {
                tokens.push_back(whole);
                return;
            }
        }
        std::vector<Symbol> symbols(piece.size());
        for (std::size_t i = 0; i < piece.size(); ++i) {
            symbols[i] = {static_cast<std::uint32_t>(i), 1,
                          vocabulary_.byte_token(static_cast<unsigned char>(piece[i]))};
        }
        merge_symbols(symbols, [this](const Symbol& left, const Symbol& right) {
            return merges_.find(left.token, right.token);
        });
        for (const Symbol& symbol : symbols) {
            if (symbol.bytes > 0) tokens.push_back(symbol.token);
        }
    }

    const Vocabulary& vocabulary_;
    const PreTokenizer& pre_tokenizer_;
    MergeTable merges_;
};

const PreTokenizer* find_pre_tokenizer(std::string_view name) {
    for (const PreTokenizer& candidate : pre_tokenizers()) {
        for (const std::string_view known : candidate.names) {
            if (known == name) return &candidate;
        }
    }
    return nullptr;
}

Error unknown_pre_tokenizer(const std::string& name, const std::string& file) {
    std::string supported;
    for (const PreTokenizer& candidate : pre_tokenizers()) {
        for (const std::string_view known : candidate.names) {
            supported += fmt::format("{}{}", supported.empty() ? "" : ", ", known);
        }
    }
    return bad_input(file, fmt::format("the pre-tokenizer {} is not supported; supported: {}",
                                       in_quotes(name), supported));
}

}  // namespace

Result<std::unique_ptr<TextEncoder>> make_bpe_encoder(const Vocabulary& vocabulary,
                                                      const GgufHeader& header,
                                                      const std::string& file) {
    const PreTokenizer* pre_tokenizer = find_pre_tokenizer(vocabulary.pre_tokenizer);
    if (pre_tokenizer == nullptr) return unknown_pre_tokenizer(vocabulary.pre_tokenizer, file);
    const auto found = header.metadata.find("tokenizer.ggml.merges");
    const auto* array =
        found == header.metadata.end() ? nullptr : std::get_if<GgufArray>(&found->second.data);
    const auto* merges = array == nullptr ? nullptr : std::get_if<std::vector<std::string>>(array);
    if (merges == nullptr) {
        return bad_input(file, "metadata key 'tokenizer.ggml.merges' is not an array of strings");
    }
    // Ranks are costs, exact as floats.
    constexpr std::size_t most_merges = std::size_t{1} << 24;
    if (merges->size() > most_merges) {
        return bad_input(file, fmt::format("tokenizer.ggml.merges has {} elements; allowed: {}",
                                           merges->size(), most_merges));
    }
    MergeTable table(merges->size());
    for (std::size_t rank = 0; rank < merges->size(); ++rank) {
        const std::string_view merge = (*merges)[rank];
        // The blank between the parts; in the byte-level alphabet a part has none.
        const std::size_t blank = merge.find(' ', 1);
        const std::string_view left = merge.substr(0, blank);
        const std::string_view right =
            blank == std::string_view::npos ? "" : merge.substr(blank + 1);
        const std::int32_t ids[] = {vocabulary.find(left), vocabulary.find(right),
                                    vocabulary.find(fmt::format("{}{}", left, right))};
        if (right.empty() || ids[0] < 0 || ids[1] < 0 || ids[2] < 0) {
            return bad_input(
                file, fmt::format("merge {} of tokenizer.ggml.merges, {}, is not two tokens that "
                                  "join to a third",
                                  rank, in_quotes(merge)));
        }
        table.add(ids[0], ids[1], {static_cast<float>(rank), ids[2]});
    }
    return std::unique_ptr<TextEncoder>(
        std::make_unique<BpeEncoder>(vocabulary, *pre_tokenizer, std::move(table)));
}

}  // namespace memside::engine
