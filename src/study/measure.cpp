#include "study/measure.h"

#include "base/text.h"
#include "report/fields.h"

namespace memside {
namespace {

std::optional<double> number(const std::optional<double>& value) {
    return value;
}
std::optional<double> number(std::int64_t value) {
    return static_cast<double>(value);
}
std::optional<double> number(const std::optional<std::int64_t>& value) {
    return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}
template <typename T>
std::optional<double> number(const T&) {
    return std::nullopt;
}

bool is_numeric(const FieldMember& member) {
    return std::visit(
        [](auto pointer) {
            using Value = std::remove_cvref_t<decltype(std::declval<SimulationResult>().*pointer)>;
            return !std::is_same_v<Value, std::string> &&
                   !std::is_same_v<Value, std::optional<std::string>>;
        },
        member);
}

template <typename Part>
double part_of(const std::vector<Part>& parts, const std::string& name, double Part::* value) {
    double sum = 0.0;
    for (const Part& part : parts) {
        if (part.name == name) sum += part.*value;
    }
    return sum;
}

}  // namespace

Result<Measure> Measure::parse(const std::string& name, const std::string& where) {
    Measure measure;
    measure.name_ = name;
    constexpr std::pair<std::string_view, Kind> parts[] = {
        {"phase.", Kind::phase}, {"busy.", Kind::busy}, {"energy.", Kind::energy}};
    for (const auto& [prefix, kind] : parts) {
        if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
        measure.kind_ = kind;
        measure.part_ = name.substr(prefix.size());
        return measure;
    }
    std::vector<std::string> allowed;
    for (const ScalarField& field : scalar_fields()) {
        if (is_numeric(field.member)) allowed.emplace_back(field.key);
    }
    if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) return measure;
    const std::string near = nearest(name, allowed);
    return bad_input(where,
                     fmt::format("{} is no figure of a result{}", in_quotes(name),
                                 near.empty() ? "; allowed: numeric keys of simulate --json, "
                                                "phase.NAME, busy.NAME, energy.NAME"
                                              : fmt::format("; did you mean '{}'?", near)));
}

std::string Measure::column() const {
    std::string part = part_;
    std::replace(part.begin(), part.end(), ' ', '_');
    switch (kind_) {
        case Kind::phase:
            return fmt::format("phase_{}_s", part);
        case Kind::busy:
            return fmt::format("busy_{}_s", part);
        case Kind::energy:
            return fmt::format("energy_{}_j_per_token", part);
        case Kind::scalar:
            break;
    }
    return name_;
}

std::optional<double> Measure::of(const SimulationResult& result) const {
    if (result.batch == 0 && name_ != "batch") return std::nullopt;
    switch (kind_) {
        case Kind::phase:
            return part_of(result.phases, part_, &PhaseTime::time_s);
        case Kind::busy:
            return part_of(result.resources, part_, &ResourceBusy::busy_s);
        case Kind::energy:
            return part_of(result.energy, part_, &EnergyShare::j_per_token);
        case Kind::scalar:
            break;
    }
    for (const ScalarField& field : scalar_fields()) {
        if (field.key != name_) continue;
        if (const auto mean = shown_mean(field, result)) return mean;
        return std::visit([&](auto member) { return number(result.*member); }, field.member);
    }
    return std::nullopt;
}

}  // namespace memside
