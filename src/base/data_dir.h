// Where the descriptions that ship with Memside are: systems/, models/, experiments/.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace memside {

// The folder that holds systems/ and models/: $MEMSIDE_DATA if set, else the nearest parent of the
// executable that has both (the source tree, for a build inside it), else share/memside beside the
// executable's bin/. Resolved once per process.
Result<std::string> data_dir();

// Names of the entries of a folder, sorted, without hidden ones. A missing folder gives none.
std::vector<std::string> list_folder(const std::string& path);

}  // namespace memside
