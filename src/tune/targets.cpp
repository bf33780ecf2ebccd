#include "base/text.h"
#include "tune/target.h"
#include "tune/x86_target.h"

namespace memside::tune {
namespace {

constexpr std::string_view no_cuda =
    "this program has no code generator for convolutions on CUDA; nothing can be measured";

}  // namespace

std::span<const TargetKind> targets() {
    static constexpr TargetKind kinds[] = {
        {"x86-vnni", make_x86_vnni, ""}, {"x86-avx2", make_x86_avx2, ""},
        {"cuda-sm75", nullptr, no_cuda}, {"cuda-sm80", nullptr, no_cuda},
        {"cuda-sm86", nullptr, no_cuda}, {"cuda-sm89", nullptr, no_cuda},
        {"cuda-sm90", nullptr, no_cuda},
    };
    return kinds;
}

Result<std::unique_ptr<Target>> find_target(const std::string& name, const std::string& where) {
    std::vector<std::string> names;
    for (const TargetKind& kind : targets()) names.emplace_back(kind.name);
    MEMSIDE_TRY(const std::size_t index, parse_choice(name, names, where));
    const TargetKind& kind = targets()[index];
    if (kind.make == nullptr) {
        return Error{name, std::string(kind.missing), Error::Kind::environment};
    }
    return kind.make();
}

}  // namespace memside::tune
