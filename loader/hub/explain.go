package hub

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

func isCertificate(err error) bool {
	var c *tls.CertificateVerificationError
	return errors.As(err, &c)
}

// explain says what a reply that is no success means for r, by X-Error-Code where
// the Hub gives one. 401 stands for a repository that does not exist, too.
func (c *Client) explain(r Reference, response *http.Response) error {
	code, said := response.Header.Get("X-Error-Code"), oneLine(response.Header.Get("X-Error-Message"))
	e := &fault.Error{Op: opDownload, Subject: r.String()}
	switch status := response.StatusCode; {
	case code == "GatedRepo":
		e.Problem = "the repository is gated: its owner shares it with those who accept its terms"
		e.Hint = fmt.Sprintf("accept them at %s, then %s", c.page(r.Repo), c.tokenAdvice())
	case code == "RevisionNotFound":
		e.Problem = fmt.Sprintf("the repository has no branch, tag or commit %q", r.Revision)
		e.Hint = "a revision comes last, as in org/name/path@revision"
	case code == "EntryNotFound":
		e.Problem, e.Err = "the repository has no such file or directory", fs.ErrNotExist
	case status == http.StatusUnauthorized && strings.Contains(said, "Invalid credentials"):
		e.Problem, e.Hint = "the Hub does not accept the access token", fmt.Sprintf("it is from %s; renew it there", c.tokenSource)
	case code == "RepoNotFound" || status == http.StatusUnauthorized:
		e.Problem = "no such repository, or a private one"
		e.Hint = "check its name; no file or directory here has it either; if it is private, " + c.tokenAdvice()
	case status == http.StatusForbidden:
		e.Problem, e.Found = "access is forbidden", said
		e.Hint = c.tokenAdvice()
	case status == http.StatusNotFound:
		e.Problem, e.Found, e.Err = "not found", said, fs.ErrNotExist
	default:
		e.Problem, e.Found = fmt.Sprintf("the Hub answered %d %s", status, http.StatusText(status)), said
	}
	return e
}

// page is where a person reads about a repository.
func (c *Client) page(repo string) string { return c.endpoint.JoinPath(repo).String() }

func (c *Client) tokenAdvice() string {
	if c.token == "" {
		return "set HF_TOKEN to an access token of your account, or log in with hf auth login"
	}
	return fmt.Sprintf("make sure that the access token from %s belongs to an account that may read it", c.tokenSource)
}

// oneLine is a text of the Hub's as a message may carry it.
func oneLine(text string) string {
	const most = 200
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strings.TrimSpace(text)
}
