// What counts of chosen experts say: evenness, how much a domain tells, and which experts go together.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace varve {

double normalised_entropy(std::span<const double> counts);  // entropy over log of how many; 1: even use

// joint [rows, columns] counts; nats. Sum p(a, b) log(p(a, b) / (p(a) p(b))).
double mutual_information(std::span<const double> joint, int64_t rows, int64_t columns);

// Co-activation among the experts of one layer. C_ij: tokens that chose both, C_ii: tokens that chose i.
struct Coactivation {
  std::vector<double> conditional;  // P(j | i) = C_ij / C_ii; NaN where i is never chosen and on the diagonal
  std::vector<double> lift;         // C_ij n / (C_ii C_jj)
  std::vector<double> effective_partners;  // exp(entropy of P(. | i) over j != i); NaN where there are none
  std::vector<int64_t> fixed_partners;     // j with lift > 2 and P(j | i) > 0.3
  std::vector<std::vector<int64_t>> top;   // the three with the largest P(j | i), ascending ids
};
Coactivation coactivation_of(std::span<const double> counts, int64_t experts, double tokens);

// Mean over experts of |A and B| / |A or B| of their sets; experts without partners on both sides are left
// out.
double mean_jaccard(const std::vector<std::vector<int64_t>>& a, const std::vector<std::vector<int64_t>>& b);

struct Communities {
  std::vector<int64_t> of;  // community of each expert, numbered by its smallest member
  int64_t count = 0;
  double modularity = 0;
};
// Greedy agglomeration of the off-diagonal counts (Clauset, Newman and Moore 2004).
Communities communities_of(std::span<const double> counts, int64_t experts);

// An order of rows that puts like next to like: average linkage over the counts, leaves left to right.
std::vector<int64_t> linkage_order(std::span<const double> similarity, int64_t count);

}  // namespace varve
