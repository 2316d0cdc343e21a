package enrichment

// The texts of panics: each is a mistake of the calling code, never of a file.
const (
	panicWeights = "enrichment: weights do not have one value for each token"
	panicRanks   = "enrichment: a ranking does not have one rank for each token"
	panicScores  = "enrichment: scores do not have one value for each set"
	panicNaN     = "enrichment: a weight is NaN"
)
