package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/saedb/saedb/internal/fault"
)

const (
	maxRedirects  = 10
	maxAttempts   = 6
	maxPatience   = 16 * time.Second
	maxRetryAfter = 2 * time.Minute
)

// request is one question to the Hub, asked again when that may help.
type request struct {
	method  string
	url     *url.URL
	header  map[string]string
	timeout time.Duration // until the reply's header; the body has its own
	// everywhere follows redirects to other hosts, which are given no token; without
	// it the reply is the first that leads elsewhere.
	everywhere bool
	// attempts bounds how often it is sent; 0 is maxAttempts.
	attempts int
}

// offlineError is the error of what would need the network when it is forbidden.
func offlineError(subject string) error {
	return &fault.Error{
		Op: opDownload, Subject: subject, Problem: "not in the cache, and HF_HUB_OFFLINE forbids the network",
		Hint: "unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE to download it", Err: errUnreachable,
	}
}

// errUnreachable is the cause of errors of a Hub that did not answer, for which
// what the cache holds can stand in.
var errUnreachable = errors.New("the Hub was not reached")

// send sends r until a reply comes that will not change by asking again: any
// but 408, 429, 500, 502, 503 and 504. The caller closes its body.
func (c *Client) send(ctx context.Context, r request, subject string) (*http.Response, error) {
	var problem error
	attempts := cmp.Or(r.attempts, maxAttempts)
	for attempt := range attempts {
		if attempt > 0 {
			if err := c.pause(ctx, attempt, problem); err != nil {
				return nil, err
			}
		}
		response, err := c.follow(ctx, r)
		var refused *fault.Error
		switch {
		case ctx.Err() != nil:
			if response != nil {
				response.Body.Close()
			}
			return nil, context.Cause(ctx)
		case errors.As(err, &refused):
			return nil, fault.At(opDownload, subject, err)
		case err != nil:
			problem = unreachable(err)
			if !worthRetrying(err) {
				return nil, fault.At(opDownload, subject, problem)
			}
		case transient(response.StatusCode):
			problem = &statusError{response.StatusCode, retryAfter(response.Header, time.Now())}
			response.Body.Close()
		default:
			return response, nil
		}
	}
	return nil, fault.At(opDownload, subject, &fault.Error{
		Problem: fmt.Sprintf("no answer in %d attempts", attempts), Err: problem, Hint: "try again later; what has come so far is kept",
	})
}

// follow sends r once, through redirects. The token goes along only to the
// endpoint's own scheme, host and port: not to a subdomain, not to another port,
// and never from https to http, which is refused.
func (c *Client) follow(ctx context.Context, r request) (*http.Response, error) {
	at := r.url
	for range maxRedirects {
		response, err := c.once(ctx, r, at)
		if err != nil || response.StatusCode < 300 || response.StatusCode >= 400 || response.StatusCode == http.StatusNotModified {
			return response, err
		}
		next, err := at.Parse(response.Header.Get("Location"))
		if err != nil || response.Header.Get("Location") == "" || next.Host == "" {
			response.Body.Close()
			return nil, &fault.Error{Problem: "a redirect without a valid address"}
		}
		if !r.everywhere && !sameOrigin(next, c.endpoint) {
			return response, nil
		}
		response.Body.Close()
		if next.Scheme != "https" && (next.Scheme != "http" || at.Scheme != "http") {
			return nil, &fault.Error{Problem: "a redirect from https to " + next.Scheme, Hint: "refused: the connection would not be protected"}
		}
		at = next
	}
	return nil, &fault.Error{Problem: fmt.Sprintf("more than %d redirects", maxRedirects)}
}

func (c *Client) once(ctx context.Context, r request, at *url.URL) (*http.Response, error) {
	bounded, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(r.timeout, func() { cancel(timeoutError(r.timeout)) })
	q, err := http.NewRequestWithContext(bounded, r.method, at.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	q.Header.Set("User-Agent", c.UserAgent)
	q.Header.Set("Accept-Encoding", "identity")
	for name, value := range r.header {
		q.Header.Set(name, value)
	}
	if c.token != "" && sameOrigin(at, c.endpoint) {
		q.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(q)
	if !timer.Stop() && err == nil {
		response.Body.Close()
		err = context.Cause(bounded)
	}
	if err != nil {
		if late := context.Cause(bounded); late != nil && ctx.Err() == nil {
			err = late
		}
		cancel(nil)
		return nil, err
	}
	response.Body = &body{ReadCloser: response.Body, limit: c.downloadTimeout, cancel: cancel}
	return response, nil
}

// body is a reply's body that ends with an error when no byte comes for limit.
type body struct {
	io.ReadCloser
	limit  time.Duration
	cancel context.CancelCauseFunc
}

func (b *body) Read(p []byte) (int, error) {
	timer := time.AfterFunc(b.limit, func() { b.cancel(timeoutError(b.limit)) })
	n, err := b.ReadCloser.Read(p)
	if late := !timer.Stop(); err != nil && err != io.EOF && late {
		err = timeoutError(b.limit)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// timeoutError is a Hub that said nothing for too long.
type timeoutError time.Duration

func (t timeoutError) Error() string { return fmt.Sprintf("nothing came for %v", time.Duration(t)) }

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// statusError is a reply that may be another when asked again.
type statusError struct {
	status int
	after  time.Duration // what the Hub asked to wait
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the Hub answered %d %s", e.status, http.StatusText(e.status))
}

// Is makes the error one of a Hub that was not reached: it is not well, and what is
// cached can stand in.
func (e *statusError) Is(target error) bool { return target == errUnreachable }

func transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter reads Retry-After, in seconds or as a date, bounded.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	wait := time.Duration(0)
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, maxRetryAfter))
}

// pause waits before an attempt: as long as the Hub asked, and otherwise twice as
// long as before, give or take half.
func (c *Client) pause(ctx context.Context, attempt int, problem error) error {
	wait := min(c.patience<<(attempt-1), maxPatience)
	if wait > 0 {
		wait = wait/2 + rand.N(wait)
	}
	var status *statusError
	if errors.As(problem, &status) && status.after > 0 {
		wait = status.after
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// unreachable takes the URL out of an error, which may carry a signature.
func unreachable(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	return &unreachableError{err}
}

type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return "the Hub was not reached: " + e.err.Error() }

func (e *unreachableError) Unwrap() []error { return []error{errUnreachable, e.err} }

// worthRetrying tells a connection that broke from one that can never be: a
// certificate that does not hold, a host that does not exist.
func worthRetrying(err error) bool {
	var name *net.DNSError
	var late timeoutError
	switch {
	case errors.As(err, &name):
		return !name.IsNotFound
	case errors.As(err, &late), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return true
	}
	var network net.Error
	return errors.As(err, &network) && (network.Timeout() || !isCertificate(err))
}
