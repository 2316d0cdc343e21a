package hub

import (
	"cmp"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
)

const (
	defaultEndpoint = "https://huggingface.co"
	defaultTimeout  = 10 * time.Second // huggingface_hub's, for metadata and between bytes
)

// Client downloads from one Hub into one cache. It is safe for concurrent use once
// its exported fields are set.
type Client struct {
	// Progress, when set, is told how much of a file has come: done of total bytes,
	// from one goroutine a file. What was there before counts as done.
	Progress func(file string, done, total int64)
	// Warn, when set, is told what a person should know although nothing failed.
	Warn func(text string)
	// UserAgent names the program to the Hub.
	UserAgent string

	endpoint        *url.URL
	token           string
	tokenSource     string // where the token came from, for messages
	home            string // HF_HOME: saedb's own directory is beside the cache
	cache           string // HF_HUB_CACHE
	offline         bool
	etagTimeout     time.Duration
	downloadTimeout time.Duration
	http            *http.Client
	patience        time.Duration // wait before the first retry; it doubles
}

// NewClient makes a client of the environment variables that huggingface_hub
// reads, through getenv (os.Getenv): HF_HOME, HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE,
// XDG_CACHE_HOME, HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH,
// HF_HUB_DISABLE_IMPLICIT_TOKEN, HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE,
// HF_HUB_ETAG_TIMEOUT and HF_HUB_DOWNLOAD_TIMEOUT. Nothing is sent yet.
func NewClient(getenv func(string) string) (*Client, error) {
	home, err := homeDirectory(getenv)
	if err != nil {
		return nil, err
	}
	cache := cmp.Or(expand(getenv, "HF_HUB_CACHE"), expand(getenv, "HUGGINGFACE_HUB_CACHE"), filepath.Join(home, "hub"))
	if cache, err = filepath.Abs(cache); err != nil {
		return nil, &fault.Error{Op: "find the Hub's cache", Err: err}
	}
	endpoint, err := parseEndpoint(cmp.Or(getenv("HF_ENDPOINT"), defaultEndpoint))
	if err != nil {
		return nil, err
	}
	c := &Client{
		UserAgent: "saedb",
		endpoint:  endpoint, home: home, cache: cache,
		offline:         isTrue(cmp.Or(getenv("HF_HUB_OFFLINE"), getenv("TRANSFORMERS_OFFLINE"))),
		etagTimeout:     seconds(getenv("HF_HUB_ETAG_TIMEOUT")),
		downloadTimeout: seconds(getenv("HF_HUB_DOWNLOAD_TIMEOUT")),
		patience:        500 * time.Millisecond,
	}
	if !isTrue(getenv("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
		if err := c.readToken(getenv); err != nil {
			return nil, err
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// Sizes and ranges are of the bytes as stored, so nothing may compress them.
	transport.DisableCompression = true
	c.http = &http.Client{
		Transport: transport,
		// Redirects are followed by follow, which decides what goes along.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func homeDirectory(getenv func(string) string) (string, error) {
	if home := expand(getenv, "HF_HOME"); home != "" {
		return filepath.Abs(home)
	}
	cache := expand(getenv, "XDG_CACHE_HOME")
	if cache == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", &fault.Error{Op: "find the Hub's cache", Err: err, Hint: "set HF_HOME to a directory"}
		}
		cache = filepath.Join(user, ".cache")
	}
	return filepath.Abs(filepath.Join(cache, "huggingface"))
}

// expand is an environment variable that is a path, with ~ and variables in it
// replaced.
func expand(getenv func(string) string, name string) string {
	value := os.Expand(getenv(name), getenv)
	if rest, ok := strings.CutPrefix(value, "~"); ok && (rest == "" || rest[0] == '/') {
		if user, err := os.UserHomeDir(); err == nil {
			return user + rest
		}
	}
	return value
}

func parseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, &fault.Error{
			Op: "read HF_ENDPOINT", Expected: "the URL of a Hub, such as " + defaultEndpoint, Found: "something else",
		}
	}
	return u, nil
}

// readToken finds the access token. A token with a line break or another control
// character in it would be refused by the HTTP library without saying why.
func (c *Client) readToken(getenv func(string) string) error {
	c.token, c.tokenSource = clean(cmp.Or(getenv("HF_TOKEN"), getenv("HUGGING_FACE_HUB_TOKEN"))), "HF_TOKEN"
	if c.token == "" {
		file := cmp.Or(expand(getenv, "HF_TOKEN_PATH"), filepath.Join(c.home, "token"))
		text, err := os.ReadFile(file)
		if err != nil {
			return nil // not logged in
		}
		c.token, c.tokenSource = clean(string(text)), file
	}
	if strings.ContainsFunc(c.token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return &fault.Error{Op: "read the Hub's access token", Subject: c.tokenSource, Expected: "one line of letters and digits", Found: "something else"}
	}
	return nil
}

func clean(token string) string {
	return strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(token))
}

func isTrue(value string) bool {
	switch strings.ToUpper(value) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

// seconds is a timeout in seconds, the default when it is none.
func seconds(text string) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n <= 1<<20 {
		return time.Duration(n) * time.Second
	}
	return defaultTimeout
}

func (c *Client) warn(text string) {
	if c.Warn != nil {
		c.Warn(text)
	}
}

// Offline reports whether the environment forbids the network.
func (c *Client) Offline() bool { return c.offline }
