#include "cli/command.h"

int main(int argc, char** argv) {
    return memside::cli::run_program(std::vector<std::string>(argv + 1, argv + argc));
}
