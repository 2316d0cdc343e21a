package figures

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// contourAngles is how many directions of the plane a contour is made of. Its corners are where
// the lines of neighbouring ones cross.
const contourAngles = 120

// depthContour is a polygon, closed and convex, that holds at least a share of the points (x, y):
// the smallest of the regions of halfspace depth that does. The region of depth k is what is left
// of the plane when every half-plane that holds at most k of the points is cut off (J. W. Tukey,
// Mathematics and the Picturing of Data, 1975); here the half-planes are those of contourAngles
// directions. There is none of fewer than three points, nor where one coordinate is always the
// same.
func depthContour(x, y []float64, share float64) (cornersX, cornersY []float64) {
	centreX, scaleX := centreAndSpread(x)
	centreY, scaleY := centreAndSpread(y)
	if len(x) < 3 || !(scaleX > 0) || !(scaleY > 0) {
		return nil, nil
	}
	points := make([]point, len(x))
	for i := range points {
		points[i] = point{(x[i] - centreX) / scaleX, (y[i] - centreY) / scaleY}
	}
	least := int(math.Ceil(share * float64(len(points))))
	// A half-plane that is cut off takes no more points than the share leaves, so that only the
	// points furthest along some direction, a few of all, can be cut off.
	deepest := min(len(points)/2, len(points)-least)
	planes := make([]halfPlanes, contourAngles)
	outer := map[int]point{}
	for i := range planes {
		var furthest []int
		planes[i], furthest = newHalfPlanes(points, 2*math.Pi*float64(i)/contourAngles, deepest)
		for _, p := range furthest {
			outer[p] = points[p]
		}
	}
	outermost := slices.Collect(maps.Values(outer))
	// The regions lie in one another, so that fewer points are in a deeper one.
	var best []point
	for low, high := 0, deepest; low <= high; {
		depth := (low + high) / 2
		region := regionOf(planes, depth)
		held := len(points) - len(outermost) + heldBy(planes, depth, outermost)
		if held >= least && len(region) > 2 {
			best, low = region, depth+1
		} else {
			high = depth - 1
		}
	}
	for i := range best {
		cornersX = append(cornersX, centreX+scaleX*best[i].x)
		cornersY = append(cornersY, centreY+scaleY*best[i].y)
	}
	if best != nil {
		cornersX, cornersY = append(cornersX, cornersX[0]), append(cornersY, cornersY[0])
	}
	return cornersX, cornersY
}

type point struct{ x, y float64 }

// halfPlanes are those of one direction, a unit vector: how far along it the furthest points are,
// descending.
type halfPlanes struct {
	direction point
	along     []float64
}

// newHalfPlanes are those that hold at most deepest of the points, and the places of the points that
// the last of them may hold.
func newHalfPlanes(points []point, angle float64, deepest int) (h halfPlanes, furthest []int) {
	h.direction = point{math.Cos(angle), math.Sin(angle)}
	type far struct {
		along float64
		place int
	}
	byAlong := func(a, b far) int { return cmp.Compare(b.along, a.along) }
	kept := deepest + 1
	var found []far
	shortest := math.Inf(-1) // of those that can still be among the furthest
	for i, p := range points {
		along := h.of(p)
		if along < shortest {
			continue
		}
		if found = append(found, far{along, i}); len(found) == 4*kept {
			slices.SortFunc(found, byAlong)
			found, shortest = found[:kept], found[kept-1].along
		}
	}
	slices.SortFunc(found, byAlong)
	for _, f := range found[:min(len(found), kept)] {
		h.along, furthest = append(h.along, f.along), append(furthest, f.place)
	}
	return h, furthest
}

func (h halfPlanes) of(p point) float64 { return h.direction.x*p.x + h.direction.y*p.y }

// edge is how far along its direction a half-plane begins that holds at most depth points.
func (h halfPlanes) edge(depth int) float64 { return h.along[depth] }

// heldBy counts the points that are in no half-plane which holds at most depth of them.
func heldBy(planes []halfPlanes, depth int, points []point) int {
	held := 0
	for _, p := range points {
		if !slices.ContainsFunc(planes, func(h halfPlanes) bool { return h.of(p) > h.edge(depth) }) {
			held++
		}
	}
	return held
}

// regionOf are the corners of what is left when the half-planes that hold at most depth points
// are cut off, in their order around it; none where nothing is left.
func regionOf(planes []halfPlanes, depth int) []point {
	far := 0.0
	for _, h := range planes {
		far = max(far, 4*math.Abs(h.edge(0)))
	}
	region := []point{{-far, -far}, {far, -far}, {far, far}, {-far, far}}
	for _, h := range planes {
		region = cutOff(region, h, h.edge(depth))
	}
	return region
}

// cutOff is a convex polygon without what lies beyond an edge (Sutherland and Hodgman, Reentrant
// Polygon Clipping, 1974).
func cutOff(polygon []point, h halfPlanes, edge float64) []point {
	var left []point
	for i, p := range polygon {
		next := polygon[(i+1)%len(polygon)]
		here, there := h.of(p)-edge, h.of(next)-edge
		if here <= 0 {
			left = append(left, p)
		}
		if here < 0 && there > 0 || here > 0 && there < 0 {
			part := here / (here - there)
			left = append(left, point{p.x + part*(next.x-p.x), p.y + part*(next.y-p.y)})
		}
	}
	return left
}

// centreAndSpread are the middle of values and how far they reach from it.
func centreAndSpread(values []float64) (centre, spread float64) {
	if len(values) == 0 {
		return 0, 0
	}
	least, most := slices.Min(values), slices.Max(values)
	return (least + most) / 2, (most - least) / 2
}
