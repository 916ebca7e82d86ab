package store

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

// Bounds of connections to S3. A request that gets no answer fails and is tried again: three times by the client itself,
// and as often again as Retry says.
const (
	s3Connect = 5 * time.Second
	s3Answer  = time.Minute // from the request's last byte to the answer's first; a copy of a large object takes its time
	s3Idle    = 128         // connections that are kept: a committer has that many requests at once
)

// openS3 opens what gocloud makes of the URL, with a client of ours: its own keeps ten connections and waits for ever.
func openS3(ctx context.Context, at address) (*blob.Bucket, error) {
	b, err := blob.OpenBucket(ctx, at.open)
	if err != nil {
		return nil, err
	}
	var client *s3.Client
	u, err := url.Parse(at.open)
	if err != nil || !b.As(&client) {
		return b, err
	}
	q, set := u.Query(), client.Options()
	set.HTTPClient = awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = s3Connect }).
		WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = s3Answer
			t.MaxIdleConns, t.MaxIdleConnsPerHost = s3Idle, s3Idle
		})
	return s3blob.OpenBucket(ctx, s3.New(set), u.Host, &s3blob.Options{
		EncryptionType: types.ServerSideEncryption(q.Get("ssetype")), KMSEncryptionID: q.Get("kmskeyid"),
		RequestChecksumCalculation: set.RequestChecksumCalculation,
	})
}
