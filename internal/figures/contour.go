package figures

import (
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
	planes := make([]halfPlanes, contourAngles)
	for i := range planes {
		planes[i] = newHalfPlanes(points, 2*math.Pi*float64(i)/contourAngles)
	}
	least := int(math.Ceil(share * float64(len(points))))
	// The regions lie in one another, so that fewer points are in a deeper one.
	var best []point
	for low, high := 0, len(points)/2; low <= high; {
		depth := (low + high) / 2
		region := regionOf(planes, depth)
		if heldBy(planes, depth, points) >= least && len(region) > 2 {
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

// halfPlanes are those of one direction, a unit vector: how far along it each point is, ascending.
type halfPlanes struct {
	direction point
	along     []float64
}

func newHalfPlanes(points []point, angle float64) halfPlanes {
	h := halfPlanes{direction: point{math.Cos(angle), math.Sin(angle)}}
	for _, p := range points {
		h.along = append(h.along, h.of(p))
	}
	slices.Sort(h.along)
	return h
}

func (h halfPlanes) of(p point) float64 { return h.direction.x*p.x + h.direction.y*p.y }

// edge is how far along its direction a half-plane begins that holds at most depth points.
func (h halfPlanes) edge(depth int) float64 { return h.along[len(h.along)-1-depth] }

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
