package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// statement allows a role actions on objects; a star stands for anything.
type statement struct {
	Sid              string
	Action, Resource []string
	Effect           string
}

// watch stands before an S3 store and notes which right each request of a role needs, and what the store refused.
type watch struct {
	*httptest.Server

	mu      sync.Mutex
	roles   map[string]string // by access key
	used    map[right]bool
	refused []string
}

// right is what a request needs.
type right struct{ role, action, resource string }

func newWatch(at string) (*watch, error) {
	target, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	w := &watch{roles: map[string]string{}, used: map[right]bool{}}
	w.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }, // the host is signed
		Transport:      &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		ModifyResponse: w.note,
	})
	return w, nil
}

var credential = regexp.MustCompile(`Credential=([^/]+)/`)

func (w *watch) note(resp *http.Response) error {
	r := resp.Request
	who := credential.FindStringSubmatch(r.Header.Get("Authorization"))
	if who == nil {
		return fmt.Errorf("%s without a signature", r.Method)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	role := w.roles[who[1]]
	if role == "" {
		return fmt.Errorf("%s by nobody who was given a role", r.Method)
	}
	bucket, key, ofObject := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	is := right{role: role, resource: "arn:aws:s3:::" + bucket}
	if ofObject = ofObject && key != ""; ofObject {
		is.resource += "/" + key
	}
	switch {
	case !ofObject && r.Method == http.MethodGet:
		is.action = "s3:ListBucket"
	case ofObject && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		is.action = "s3:GetObject"
	case ofObject && r.Method == http.MethodDelete:
		is.action = "s3:DeleteObject"
	case ofObject:
		is.action = "s3:PutObject"
	default:
		return fmt.Errorf("%s of a bucket", r.Method)
	}
	if resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusUnauthorized {
		w.refused = append(w.refused, fmt.Sprintf("%s may not %s %s", role, is.action, is.resource))
		return nil
	}
	w.used[is] = true
	return nil
}

// as notes that an access key is a role's.
func (w *watch) as(role, accessKey string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.roles[accessKey] = role
}

// denied is what the store has refused, each once.
func (w *watch) denied() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.refused)
	return slices.Compact(w.refused)
}

// idle lists the rights that no request has needed: "role action resource".
func (w *watch) idle(statements map[string][]statement) (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for role, of := range statements {
		for _, s := range of {
			for _, resource := range s.Resource {
				if !w.needed(role, s.Action, resource) {
					_, pattern, _ := strings.Cut(resource, "/")
					all = append(all, fmt.Sprintf("%s %s %s", role, s.Sid, pattern))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

func (w *watch) needed(role string, actions []string, resource string) bool {
	pattern := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(resource), `\*`, ".*") + "$")
	for u := range w.used {
		if u.role == role && slices.Contains(actions, u.action) && pattern.MatchString(u.resource) {
			return true
		}
	}
	return false
}
