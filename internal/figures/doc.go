// Package figures draws the analysis: it reads what is loaded and computed from
// the database's views, and the statistics of random directions from their table,
// makes a [Figure] of it, and writes that as an HTML page that needs no network, as
// PNG, or as SVG.
//
// The way of the data: a query (the figure's own, or the user's) → [Figure], which
// holds every number that is drawn → [HTML], or [Image]. Both draw the same
// [Figure], so the numbers in a page and in a picture cannot differ.
package figures
