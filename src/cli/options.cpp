#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <cctype>

#include "base/number.h"
#include "base/text.h"

namespace memside::cli {

struct Options::Value {
    std::string name;
    std::vector<std::string> given;
    bool repeated = false;
};

namespace {

// "--context -5": CLI11 would take -5 for an option. Joined with '=', the value reaches its reader,
// which can say what is wrong with it.
std::vector<std::string> join_negative_values(const std::vector<std::string>& arguments) {
    std::vector<std::string> joined;
    for (const std::string& argument : arguments) {
        const bool negative = argument.size() > 1 && argument[0] == '-' &&
                              std::isdigit(static_cast<unsigned char>(argument[1])) != 0;
        if (negative && !joined.empty() && joined.back().starts_with("--") &&
            joined.back().find('=') == std::string::npos) {
            joined.back() += "=" + argument;
        } else {
            joined.push_back(argument);
        }
    }
    return joined;
}

// CLI11 puts two blank lines between groups of options.
std::string without_blank_runs(std::string text) {
    for (std::size_t at = 0; (at = text.find("\n\n\n", at)) != std::string::npos;) {
        text.erase(at, 1);
    }
    return text;
}

}  // namespace

Options::Options(const std::string& command, const std::string& summary,
                 const std::string& examples)
    : app_(std::make_unique<CLI::App>(summary, "memside " + command)) {
    app_->allow_extras();
    app_->footer("\nexamples:\n" + examples);
    app_->get_formatter()->column_width(34);
}

Options::~Options() = default;

void Options::add(const std::string& name, const std::string& shown, const std::string& help) {
    values_.push_back(std::make_unique<Value>(Value{name, {}, false}));
    // Collected as a list so that a repetition is ours to report.
    app_->add_option(name, values_.back()->given, help)
        ->option_text(shown)
        ->group(group_)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Options::add_repeated(const std::string& name, const std::string& shown,
                           const std::string& help) {
    add(name, shown, help);
    values_.back()->repeated = true;
}

void Options::add_flag(const std::string& name, const std::string& help) {
    values_.push_back(std::make_unique<Value>(Value{name, {}, false}));
    Value* const value = values_.back().get();
    app_->add_flag_function(
            name,
            [value](std::int64_t count) {
                value->given.assign(static_cast<std::size_t>(count), "on");
            },
            help)
        ->group(group_);
}

void Options::add_positional(const std::string& name, const std::string& help, bool several) {
    values_.push_back(std::make_unique<Value>(Value{name, {}, true}));
    app_->add_option(name, values_.back()->given, help)
        ->option_text(" ")
        ->expected(several ? CLI::detail::expected_max_vector_size : 1);
}

std::vector<std::string> Options::option_names() const {
    std::vector<std::string> names;
    for (const auto& value : values_) {
        if (value->name.starts_with("--")) names.push_back(value->name);
    }
    return names;
}

Status Options::parse(std::vector<std::string> arguments) {
    arguments = join_negative_values(arguments);
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    try {
        app_->parse(arguments);
    } catch (const CLI::CallForHelp&) {
        help_shown_ = true;
        return write_standard_output(without_blank_runs(app_->help()));
    } catch (const CLI::ArgumentMismatch& error) {
        const std::string message = error.what();  // "--seed: 1 required TEXT missing"
        return bad_input(message.substr(0, message.find(':')), "needs a value");
    } catch (const CLI::ParseError& error) {
        std::string message = error.what();
        std::replace(message.begin(), message.end(), '\n', ' ');
        return bad_input("", message);
    }
    for (const auto& value : values_) {
        for (const std::string& given : value->given) {
            if (!given.starts_with("--")) continue;
            return bad_input(value->name, "needs a value before " + in_quotes(given));
        }
    }
    for (const std::string& extra : app_->remaining()) {
        if (!extra.starts_with("-")) {
            return bad_input("", "unexpected argument " + in_quotes(extra));
        }
        const std::string name = extra.substr(0, extra.find('='));
        const std::string near = nearest(name, option_names());
        return bad_input("", "unknown option " + in_quotes(name) +
                                 (near.empty() ? "; --help lists the options"
                                               : fmt::format("; did you mean '{}'?", near)));
    }
    for (const auto& value : values_) {
        if (!value->repeated && value->given.size() > 1) {
            return bad_input(value->name, "is given more than once");
        }
    }
    return {};
}

std::vector<std::string> Options::all(const std::string& name) const {
    for (const auto& value : values_) {
        if (value->name == name) return value->given;
    }
    assert(false && "an option that was not added");
    return {};
}

std::optional<std::string> Options::text(const std::string& name) const {
    std::vector<std::string> given = all(name);
    if (given.empty()) return std::nullopt;
    return given.front();
}

std::string Options::text_or(const std::string& name, const std::string& fallback) const {
    return text(name).value_or(fallback);
}

Result<std::string> Options::required(const std::string& name) const {
    const std::optional<std::string> given = text(name);
    if (!given) return bad_input(name, "is required; --help shows examples");
    return *given;
}

Result<std::int64_t> Options::integer(const std::string& name, std::int64_t fallback,
                                      std::int64_t low, std::int64_t high) const {
    const std::optional<std::string> given = text(name);
    if (!given) return fallback;
    return parse_integer(*given, low, high, name);
}

Result<std::size_t> Options::choice(const std::string& name, const std::string& fallback,
                                    const std::vector<std::string>& allowed) const {
    const std::string given = text_or(name, fallback);
    const auto found = std::find(allowed.begin(), allowed.end(), given);
    if (found == allowed.end()) {
        const std::string near = nearest(given, allowed);
        const std::string all = "allowed: " + join(allowed, ", ");
        return bad_input(
            name,
            fmt::format("unknown value {}; {}", in_quotes(given),
                        near.empty() ? all : fmt::format("did you mean '{}'? ({})", near, all)));
    }
    return static_cast<std::size_t>(found - allowed.begin());
}

Result<bool> check_outputs(const Options& options, const std::vector<std::string>& names,
                           const std::vector<NamedPath>& inputs) {
    std::vector<NamedPath> outputs;
    bool named = false;
    for (const std::string& name : names) {
        const std::optional<std::string> path = options.text(name);
        if (!path) continue;
        if (path->empty()) return bad_input(name, "is empty; allowed: a file name or '-'");
        named |= *path == "-" || *path == "/dev/stdout";
        outputs.push_back({name, *path});
    }
    if (!named) outputs.insert(outputs.begin(), {"standard output", "-"});
    MEMSIDE_CHECK(check_targets(outputs, inputs));
    return named;
}

}  // namespace memside::cli
