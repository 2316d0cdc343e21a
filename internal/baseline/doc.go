// Package baseline says what chance is: what random directions of the residual stream
// score, against which the scores of features are held.
//
// Tokens are not exchangeable: those of a set share parts of their unembedding, so that
// any direction at all moves them together, and p-values that draw tokens at random call
// most random directions significant. A set's own null is its scores in directions
// drawn at random.
package baseline
