// Constants of a description: `key: {value: V, source: S}` or `key: {value: V, assumed: reason}`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/quantity.h"
#include "base/result.h"
#include "dram/spec.h"

namespace memside::dram {

// Reads the constants of one section and notes each with its source. A source may be a key of the
// document's `sources` map, or begin with one ("idd, by TN-40-07"), and then the text there is
// noted.
class ConstantSection {
  public:
    // `document` and `section` (one of its maps) must outlive the reader.
    static Result<ConstantSection> open(const ConfigNode& document, std::string_view section,
                                        std::vector<SourcedConstant>& noted);

    Result<double> quantity(std::string_view key, Dimension dimension);
    // A whole number in [low, high].
    Result<int> whole(std::string_view key, int low, int high);
    // A plain number of at least 0 whose unit is in the key: `read_pj`.
    Result<double> plain(std::string_view key);

    bool has(std::string_view key) const { return section_->find(key) != nullptr; }
    std::vector<std::string> keys() const;
    const ConfigNode& node() const { return *section_; }

  private:
    struct Value {
        std::string text;
        std::string where;
    };
    Result<Value> read(std::string_view key);
    Result<std::string> source_of(const ConfigNode& constant, std::string_view key) const;
    std::string spelt_out(const std::string& text) const;

    std::string name_;
    const ConfigNode* section_ = nullptr;
    const ConfigNode* sources_ = nullptr;
    std::vector<SourcedConstant>* noted_ = nullptr;
};

}  // namespace memside::dram
