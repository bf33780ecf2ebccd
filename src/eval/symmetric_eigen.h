// Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations: slow, simple, and
// accurate for the few hundred rows of a head.
#pragma once

#include <vector>

namespace memside::eval {

struct SymmetricEigen {
    std::vector<double> values;   // [n], descending
    std::vector<double> vectors;  // [n][n], row i the unit eigenvector of values[i]
};

// `matrix`: f64 [n][n], symmetric; only its upper triangle is read.
SymmetricEigen symmetric_eigen(std::vector<double> matrix, int n);

}  // namespace memside::eval
