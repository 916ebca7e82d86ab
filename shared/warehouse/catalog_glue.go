package warehouse

import (
	"context"
	"fmt"
	"net/url"

	"github.com/apache/iceberg-go/catalog/glue"
	"github.com/aws/aws-sdk-go-v2/config"
)

// openGlue opens AWS's catalog: the databases lake, ops and mart of an account and region, whose names the URL's prefix
// begins. Who we are and where it is asked comes from the usual environment of AWS; its client tries three times.
func (c *opened) openGlue(ctx context.Context, u *url.URL) error {
	q, err := c.options(u, "region")
	if err != nil {
		return err
	}
	var load []func(*config.LoadOptions) error
	if r := q.Get("region"); r != "" {
		load = append(load, config.WithRegion(r))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return fmt.Errorf("configuration of AWS: %w", err)
	}
	props := glue.AwsProperties{}
	if u.Host != "" {
		props[glue.CatalogIdKey] = u.Host
	}
	cat, err := glue.NewCatalog(glue.WithAwsConfig(cfg), glue.WithAwsProperties(props))
	if err != nil {
		return err
	}
	c.Catalog, c.release = cat, cat.Close
	return nil
}
