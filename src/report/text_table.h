// Text for a terminal: aligned columns whose cells wrap, share bars, and colours that the caller
// may switch off. Widths count characters, not bytes; every line stays within the given width.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace memside {

enum class Tone { plain, strong, faint, accent, warning };

// `text` in the tone's ANSI colour; unchanged without colour.
std::string painted(std::string_view text, Tone tone, bool colour);

// Characters of valid UTF-8, each one column wide. (Wide East Asian characters count as one.)
int display_width(std::string_view text);

// `text` with control characters replaced by '?', so that a name cannot command the terminal.
std::string printable(std::string_view text);

// Breaks at blanks, else after a hyphen, else anywhere. At least one line; `width` is at least 1.
std::vector<std::string> wrapped(std::string_view text, int width);

// A bar of `share` of `width` characters, in eighths of a character.
std::string share_bar(double share, int width);

// A character for each value, its height in eighths of `full`; values above are drawn as full.
std::string sparkline(const std::vector<double>& values, double full);

struct Cell {
    std::string text;
    Tone tone = Tone::plain;
};

class TextTable {
  public:
    enum class Align { left, right };

    explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)) {}

    // One cell per column, or fewer: then the last one runs on to the right end of the table.
    void add(std::vector<Cell> cells);

    // Left-aligned columns shrink, the widest first, until the table fits in `width` columns; their
    // cells wrap. `indent` blanks before each line count.
    std::string render(int width, int indent, bool colour) const;

  private:
    std::vector<int> column_widths(int width) const;

    std::vector<Align> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace memside
