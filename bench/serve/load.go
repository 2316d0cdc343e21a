package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// page is a kind of page, and how often it is asked for beside the others.
type page struct {
	name    string
	weight  int
	address func(random *rand.Rand) string
}

var layers = []int{4, 9, 14, 19, 24, 29}

func sae(random *rand.Rand) string {
	return fmt.Sprintf("smollm2-demo/blocks.%d.hook_resid_pre", layers[random.IntN(len(layers))])
}

func of(random *rand.Rand) string {
	return fmt.Sprintf("sae=%s&feature=%d", sae(random), random.IntN(1536))
}

// pages are what people look at: features and lists of them more often than figures.
var pages = []page{
	{"the page itself", 1, func(*rand.Rand) string { return "/" }},
	{"overview", 2, func(*rand.Rand) string { return "/api/overview" }},
	{"features of a layer", 6, func(random *rand.Rand) string {
		return fmt.Sprintf("/api/features?layer=%d&sort=%s&offset=%d", layers[random.IntN(len(layers))], []string{"skewness", "kurtosis", "std"}[random.IntN(3)], 50*random.IntN(5))
	}},
	{"features of a token", 2, func(random *rand.Rand) string {
		return "/api/features?token=" + []string{"three", "was", "ing", "self"}[random.IntN(4)]
	}},
	{"feature", 8, func(random *rand.Rand) string { return "/api/feature?" + of(random) }},
	{"similar features", 2, func(random *rand.Rand) string { return "/api/similar?" + of(random) }},
	{"token sets", 1, func(*rand.Rand) string { return "/api/sets" }},
	{"token set", 2, func(random *rand.Rand) string {
		return "/api/set?model=smollm2-135m&set=" + []string{"all_digits", "boy_names", "girl_names"}[random.IntN(3)]
	}},
	{"figure of an SAE", 1, func(random *rand.Rand) string {
		return "/api/figure?name=skew-kurtosis&sae=" + sae(random)
	}},
	{"query", 1, func(random *rand.Rand) string {
		q := fmt.Sprintf("SELECT feature, skewness, top_tokens FROM layer_%d ORDER BY kurtosis DESC LIMIT %d", layers[random.IntN(len(layers))], 1+random.IntN(50))
		return "/api/sql?" + url.Values{"q": {q}}.Encode()
	}},
}

// answer is how one request went.
type answer struct {
	page    string
	took    time.Duration
	bytes   int64
	problem string // empty where it was answered
}

func (s *server) ask(client *http.Client, p page, random *rand.Rand) answer {
	a := answer{page: p.name}
	address := p.address(random)
	begun := time.Now()
	got, err := client.Get(s.Address + address)
	if err != nil {
		a.problem = err.Error()
		return a
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	a.took, a.bytes = time.Since(begun), int64(len(text))
	if err != nil || got.StatusCode != http.StatusOK {
		a.problem = fmt.Sprintf("%s: %s %v %.200s", address, got.Status, err, text)
	}
	return a
}

// eachPage asks for every page once, so that what is read once is read.
func (s *server) eachPage() error {
	client := &http.Client{}
	defer client.CloseIdleConnections()
	random := rand.New(rand.NewPCG(0, 0))
	for _, p := range pages {
		if a := s.ask(client, p, random); a.problem != "" {
			return fmt.Errorf("%s", a.problem)
		}
	}
	return nil
}

// load has clients ask for pages, one after the other, until the time is over.
func (s *server) load(clients int, lasting time.Duration) []answer {
	var choice []page
	for _, p := range pages {
		choice = append(choice, slices.Repeat([]page{p}, p.weight)...)
	}
	until := time.Now().Add(lasting)
	all := make([][]answer, clients)
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			random := rand.New(rand.NewPCG(uint64(i), 1))
			for time.Now().Before(until) {
				all[i] = append(all[i], s.ask(client, choice[random.IntN(len(choice))], random))
			}
		})
	}
	running.Wait()
	return slices.Concat(all...)
}

// report prints a line for each kind of page and one for all, and returns the number of
// errors.
func report(answers []answer, lasting time.Duration) (errors int) {
	fmt.Printf("%-22s %10s %10s %10s %10s %10s\n", "page", "requests/s", "p50 ms", "p99 ms", "kB", "errors")
	line := func(name string, of func(answer) bool) int {
		var times []time.Duration
		var bytes int64
		failed := 0
		for _, a := range answers {
			switch {
			case !of(a):
			case a.problem != "":
				failed++
			default:
				times, bytes = append(times, a.took), bytes+a.bytes
			}
		}
		slices.Sort(times)
		at := func(share float64) float64 {
			if len(times) == 0 {
				return 0
			}
			return float64(times[int(share*float64(len(times)-1))].Microseconds()) / 1000
		}
		fmt.Printf("%-22s %10.1f %10.1f %10.1f %10.1f %10d\n", name, float64(len(times))/lasting.Seconds(), at(0.5), at(0.99),
			float64(bytes)/1000/float64(max(1, len(times))), failed)
		return failed
	}
	for _, p := range pages {
		line(p.name, func(a answer) bool { return a.page == p.name })
	}
	errors = line("all", func(answer) bool { return true })
	shown := map[string]bool{}
	for _, a := range answers {
		if a.problem != "" && !shown[a.page] {
			shown[a.page] = true
			fmt.Printf("  %s: %s\n", a.page, a.problem)
		}
	}
	return errors
}
