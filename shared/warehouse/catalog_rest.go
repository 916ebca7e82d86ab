package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/apache/iceberg-go/catalog/rest"

	"medlake/shared/lake"
)

// Bounds of a catalog over HTTP. A commit there writes a metadata file, so an answer may take its time.
const (
	restConnect = 5 * time.Second
	restAnswer  = time.Minute
	restIdle    = 16 // connections that are kept
)

// openREST opens a server of Iceberg's REST protocol. Who we are is in the URL, token@ or id:secret@, or in the environment:
// MEDLAKE_CATALOG_TOKEN, MEDLAKE_CATALOG_CREDENTIAL.
func (c *opened) openREST(ctx context.Context, u *url.URL) error {
	q, err := c.options(u, "warehouse", "scope", "token_url")
	if err != nil {
		return err
	}
	token, credential := os.Getenv("MEDLAKE_CATALOG_TOKEN"), os.Getenv("MEDLAKE_CATALOG_CREDENTIAL")
	if secret, ok := u.User.Password(); ok {
		token, credential = "", u.User.Username()+":"+secret
	} else if u.User != nil {
		token = u.User.Username()
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: restConnect}).DialContext,
		TLSHandshakeTimeout:   restConnect,
		ResponseHeaderTimeout: restAnswer,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   restIdle,
		ForceAttemptHTTP2:     true,
	}
	options := []rest.Option{
		rest.WithCustomTransport(transport), rest.WithOAuthToken(token), rest.WithCredential(credential),
		rest.WithWarehouseLocation(q.Get("warehouse")), rest.WithScope(q.Get("scope")),
	}
	if at := q.Get("token_url"); at != "" {
		issuer, err := url.Parse(at)
		if err != nil {
			return fmt.Errorf("token_url cannot be read: %w", lake.ErrInvalid)
		}
		options = append(options, rest.WithAuthURI(issuer))
	}
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: cmp.Or(u.Path, "/")}
	cat, err := rest.NewCatalog(ctx, catalogName, at.String(), options...)
	if err != nil {
		transport.CloseIdleConnections()
		return err
	}
	c.Catalog, c.release = cat, func() error {
		defer transport.CloseIdleConnections()
		return cat.Close()
	}
	return nil
}
