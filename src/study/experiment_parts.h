// Parts of an experiment's page that its kinds share. Internal to study/.
#pragma once

#include <vector>

#include "report/figure_page.h"
#include "study/stated.h"

namespace memside {

FigureTable stated_table(const std::vector<StatedRow>& rows);

}  // namespace memside
