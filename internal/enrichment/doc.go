// Package enrichment scores token sets by where their tokens stand in the ranking of
// a feature's logit weights over the vocabulary.
//
// A [Ranker] sorts a feature's n logit weights once, or, where few tokens are in any set,
// those of members alone ([Sets.Scorer]). [Sets.Scores] then takes, for
// every set, only the ranks of its members: the two-sample Kolmogorov–Smirnov
// distance that token set enrichment analysis calls the enrichment score, with its
// direction, the AUC, and the member where the leading edge ends. P-values follow
// from a set's size and score alone ([LogKolmogorovSmirnov]).
//
// [Sets.WeightedScores] is gene set enrichment analysis proper: members count by
// their logit weights, and significance comes from random sets.
//
// [FeatureLMoments] describes the shape of the logit weights themselves by their order.
//
// Tokens are positions 0 … n−1, whatever ids they have. Ranks count from 0 at the
// highest weight. Scores depend on ranks alone, and those on weights, ties going to
// the lower position: neither workers, nor the order of sets, nor what else is
// scored changes a figure.
//
// Weights are expected to be finite: readers have refused others with the file's
// name. Slices of the wrong length are a programming error and panic with a
// constant text.
package enrichment
