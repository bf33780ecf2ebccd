#include "report/text_table.h"

#include <array>
#include <cassert>
#include <cmath>
#include <numeric>

namespace memside {
namespace {

constexpr int gap = 2;          // blanks between columns
constexpr int least_width = 6;  // what a shrinking column keeps

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Bytes of the first `count` characters.
std::size_t prefix_bytes(std::string_view text, int count) {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        if (!continues(text[at]) && count-- == 0) break;
    }
    return at;
}

std::string padded(const std::string& text, int width, TextTable::Align align) {
    const std::string blanks(static_cast<std::size_t>(std::max(0, width - display_width(text))),
                             ' ');
    return align == TextTable::Align::left ? text + blanks : blanks + text;
}

}  // namespace

std::string painted(std::string_view text, Tone tone, bool colour) {
    if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
    static constexpr std::array<const char*, 5> codes{"0", "1", "2", "36", "33"};
    return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<std::size_t>(tone)], text);
}

int display_width(std::string_view text) {
    return static_cast<int>(
        std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) c = '?';
    }
    return out;
}

std::vector<std::string> wrapped(std::string_view text, int width) {
    assert(width >= 1);
    std::vector<std::string> lines;
    while (display_width(text) > width) {
        const std::size_t most = prefix_bytes(text, width);
        // A blank just after the line is as good a place as one inside it.
        std::size_t cut = text.substr(0, most + 1).rfind(' ');
        std::size_t next = cut;
        if (cut == std::string_view::npos || cut == 0) {
            const std::size_t hyphen = text.substr(0, most).rfind('-');
            cut = next = hyphen == std::string_view::npos || hyphen == 0 ? most : hyphen + 1;
        }
        lines.emplace_back(text.substr(0, text.find_last_not_of(' ', cut - 1) + 1));
        next = text.find_first_not_of(' ', next);
        text = next == std::string_view::npos ? std::string_view{} : text.substr(next);
    }
    if (!text.empty() || lines.empty()) lines.emplace_back(text);
    return lines;
}

std::string share_bar(double share, int width) {
    static constexpr std::array<const char*, 8> parts{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const auto eighths = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * 8 * width));
    std::string bar;
    for (int i = 0; i < eighths / 8; ++i) bar += "█";
    bar += parts[static_cast<std::size_t>(eighths % 8)];
    return bar.empty() && share > 0 ? "▏" : bar;
}

std::string sparkline(const std::vector<double>& values, double full) {
    static constexpr std::array<const char*, 9> heights{" ", "▁", "▂", "▃", "▄",
                                                        "▅", "▆", "▇", "█"};
    std::string line;
    for (const double value : values) {
        const double share = full > 0.0 ? std::clamp(value / full, 0.0, 1.0) : 0.0;
        const auto eighths = static_cast<std::size_t>(std::lround(share * 8));
        // What is there at all can be seen.
        line += heights[eighths == 0 && value > 0.0 ? 1 : eighths];
    }
    return line;
}

void TextTable::add(std::vector<Cell> cells) {
    assert(!cells.empty() && cells.size() <= columns_.size());
    for (Cell& cell : cells) cell.text = printable(cell.text);
    rows_.push_back(std::move(cells));
}

std::vector<int> TextTable::column_widths(int width) const {
    std::vector<int> widths(columns_.size(), 0);
    for (const auto& row : rows_) {
        // A cell that runs on takes whatever width the others give.
        const std::size_t own = row.size() < columns_.size() ? row.size() - 1 : row.size();
        for (std::size_t c = 0; c < own; ++c) {
            widths[c] = std::max(widths[c], display_width(row[c].text));
        }
    }
    int excess = std::accumulate(widths.begin(), widths.end(), 0) +
                 gap * (static_cast<int>(widths.size()) - 1) - width;
    for (; excess > 0; --excess) {
        std::size_t widest = columns_.size();
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            if (columns_[c] == Align::right || widths[c] <= least_width) continue;
            if (widest == columns_.size() || widths[c] > widths[widest]) widest = c;
        }
        if (widest == columns_.size()) break;
        --widths[widest];
    }
    return widths;
}

std::string TextTable::render(int width, int indent, bool colour) const {
    std::vector<int> widths = column_widths(width - indent);
    std::string out;
    for (const auto& row : rows_) {
        std::vector<std::vector<std::string>> cells;
        std::size_t height = 0;
        int left = indent;
        for (std::size_t c = 0; c < row.size(); ++c) {
            const bool runs_on = row.size() < columns_.size() && c + 1 == row.size();
            cells.push_back(wrapped(row[c].text, std::max(1, runs_on ? width - left : widths[c])));
            height = std::max(height, cells.back().size());
            left += widths[c] + gap;
        }
        for (std::size_t line = 0; line < height; ++line) {
            std::string text(static_cast<std::size_t>(indent), ' ');
            std::string blanks;  // held back until something follows: no trailing blanks
            for (std::size_t c = 0; c < row.size(); ++c) {
                const std::string part = line < cells[c].size() ? cells[c][line] : "";
                const bool runs_on = row.size() < columns_.size() && c + 1 == row.size();
                const Align align = runs_on ? Align::left : columns_[c];
                const std::string full = padded(part, widths[c], align);
                const auto end = full.find_last_not_of(' ') + 1;
                if (end > 0) text += blanks + painted(full.substr(0, end), row[c].tone, colour);
                if (end > 0) blanks.clear();
                blanks.append(full.size() - end + gap, ' ');
            }
            out += text.substr(0, text.find_last_not_of(' ') + 1) + '\n';
        }
    }
    return out;
}

}  // namespace memside
