# Turns a file into a C++ source with its bytes, so that the executable needs nothing at run time:
#   cmake -DINPUT=page.css -DOUTPUT=page_css.cpp -DNAME=page_css -P embed.cmake
# defines std::string_view memside::embedded::page_css().
file(READ "${INPUT}" hex HEX)
# A line per 16 bytes: one of a megabyte slows every tool that looks at it.
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
file(WRITE "${OUTPUT}" "#include <string_view>
namespace memside::embedded {
std::string_view ${NAME}();
static constexpr char bytes[] = {
${bytes}};
std::string_view ${NAME}() { return {bytes, sizeof bytes}; }
}  // namespace memside::embedded
")
