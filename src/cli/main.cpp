#include "base/interruption.h"
#include "cli/command.h"

int main(int argc, char** argv) {
    memside::handle_interruption();
    return memside::cli::run_guarded(memside::cli::run_program,
                                     std::vector<std::string>(argv + 1, argv + argc));
}
