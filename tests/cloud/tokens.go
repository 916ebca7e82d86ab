package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"medlake/shared/store"
	"medlake/shared/warehouse"
)

// guard stands before a REST catalog, gives tokens for an id and a secret, and lets only bearers of the newest, or of one
// that never ends, through.
type guard struct {
	id, secret, fixed string
	catalog           http.Handler

	mu     sync.Mutex
	token  string
	issued int
}

// tokenLife is what tokens are said to be good for. Clients take a new one ten seconds before the end.
const tokenLife = 11 * time.Second

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/v1/oauth/tokens") {
		g.issue(w, r)
		return
	}
	g.mu.Lock()
	bearer := r.Header.Get("Authorization")
	known := bearer == "Bearer "+g.fixed || g.token != "" && bearer == "Bearer "+g.token
	g.mu.Unlock()
	if !known {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":{"message":"not authorized","type":"NotAuthorizedException","code":401}}`))
		return
	}
	g.catalog.ServeHTTP(w, r)
}

func (g *guard) issue(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	w.Header().Set("Content-Type", "application/json")
	if id != g.id || secret != g.secret || r.FormValue("grant_type") != "client_credentials" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.token = rand.Text()
	g.issued++
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":%d}`, g.token, int(tokenLife.Seconds()))
}

func (g *guard) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.issued
}

// restTokens opens a REST catalog that asks who we are: with a token, with an id and a secret whose tokens end while they
// are used, and with wrong ones, which no error may tell.
func restTokens(ctx context.Context, c *cloud) (err error) {
	at, err := c.bucket(ctx, "minio")
	if err != nil {
		return err
	}
	bucket, err := store.Open(ctx, at)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	target, err := url.Parse(c.url("iceberg-rest"))
	if err != nil {
		return err
	}
	g := &guard{id: "medlake", secret: rand.Text(), fixed: rand.Text(), catalog: httputil.NewSingleHostReverseProxy(target)}
	server := httptest.NewServer(g)
	defer server.Close()
	catalog := func(who string) string {
		return "http://" + who + strings.TrimPrefix(server.URL, "http://") + "/" + c.name()
	}
	use := func(who string, until func() bool) error {
		w, err := warehouse.Open(ctx, catalog(who), bucket)
		if err != nil {
			return err
		}
		for err == nil && !until() && wait(ctx, 100*time.Millisecond) {
			_, err = w.Tables(ctx)
		}
		return errors.Join(err, w.Close())
	}
	if err := use(g.fixed+"@", func() bool { return true }); err != nil {
		return fmt.Errorf("a token: %w", err)
	}
	first := -1
	if err := use(g.id+":"+g.secret+"@", func() bool {
		if first < 0 {
			first = g.count()
		}
		return g.count() > first+1
	}); err != nil {
		return fmt.Errorf("an id and a secret: %w", err)
	}
	for what, who := range map[string]string{"nobody": "", "a wrong token": "Wr0ngT0ken@", "a wrong secret": g.id + ":Wr0ngS3cret@"} {
		err := use(who, func() bool { return true })
		if err == nil {
			return fmt.Errorf("%s opens the catalog", what)
		}
		if strings.Contains(err.Error(), "Wr0ng") {
			return fmt.Errorf("the error tells %s", what)
		}
	}
	return nil
}
