package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"

	"medlake/shared/lake"
)

// HeadVersion describes a version of a key that a newer object may lie over; o.Key and o.Version say which, o.Size only if
// the version is an etag. The error is lake.ErrNotFound if the bucket keeps no versions, or not this one.
func (b *Bucket) HeadVersion(ctx context.Context, o Object) (Object, error) {
	r, err := b.openOnly(ctx, o)
	if errors.Is(err, lake.ErrConflict) {
		return Object{}, noVersion(o.Key)
	}
	if err != nil {
		return Object{}, err
	}
	found := Object{Key: o.Key, Size: r.Size(), Version: readVersion(r), ModTime: r.ModTime()}
	if err := r.Close(); err != nil {
		return Object{}, fault("head", o.Key, err)
	}
	if found.Version != o.Version {
		return Object{}, noVersion(o.Key)
	}
	return found, nil
}

func noVersion(key string) error {
	return &opError{op: "head", key: show(key), cause: "no such version", is: lake.ErrNotFound}
}

// ReaderOf streams the very object that Head, List or HeadVersion described as o, also if a newer one lies over it by now.
// The error is lake.ErrConflict if it was overwritten and the bucket keeps no versions.
func (b *Bucket) ReaderOf(ctx context.Context, o Object) (io.ReadCloser, error) {
	r, err := b.openOnly(ctx, o)
	if err != nil {
		return nil, err
	}
	if v := readVersion(r); r.Size() != o.Size || v != "" && v != o.Version {
		_ = r.Close() // nothing was read
		return nil, &opError{op: "open", key: show(o.Key), cause: "overwritten", is: lake.ErrConflict}
	}
	return reader{r, o.Key}, nil
}

// openOnly opens the version of a key that o tells; lake.ErrConflict if the key has it no more.
func (b *Bucket) openOnly(ctx context.Context, o Object) (r *blob.Reader, err error) {
	overwritten := false
	err = b.retry(ctx, func() (err error) {
		r, err = b.blob.NewReader(ctx, o.Key, &blob.ReaderOptions{BeforeRead: only(o)})
		var api interface{ ErrorCode() string } // the AWS SDK's
		if errors.As(err, &api) && (api.ErrorCode() == "NoSuchVersion" || api.ErrorCode() == "InvalidArgument") {
			overwritten = true // gocloud does not know these codes
			return nil
		}
		return err
	})
	if overwritten {
		return nil, &opError{op: "open", key: show(o.Key), cause: "no such version", is: lake.ErrConflict}
	}
	return r, fault("open", o.Key, err)
}

// only makes a request ask for the version o.Version and no other, in the ways of the stores that can.
func only(o Object) func(as func(any) bool) error {
	etag, tag := strings.CutSuffix(o.Version, fmt.Sprintf("-%d", o.Size))
	etag = `"` + etag + `"`
	return func(as func(any) bool) error {
		var get *s3.GetObjectInput
		var handle **storage.ObjectHandle
		var azure *azblob.DownloadStreamOptions
		switch {
		case as(&get) && tag:
			get.IfMatch = &etag
		case get != nil:
			get.VersionId = &o.Version
		case as(&handle):
			if generation, err := strconv.ParseInt(o.Version, 10, 64); err == nil {
				*handle = (*handle).Generation(generation)
			}
		case as(&azure) && tag:
			match := azcore.ETag(etag)
			azure.AccessConditions = &azblob.AccessConditions{ModifiedAccessConditions: &azblob.ModifiedAccessConditions{IfMatch: &match}}
		}
		return nil
	}
}

// readVersion is the version of what is read; empty if the store does not tell.
func readVersion(r *blob.Reader) string {
	var get s3.GetObjectOutput
	if r.As(&get) {
		if get.VersionId != nil && *get.VersionId != "" && *get.VersionId != "null" {
			return *get.VersionId
		}
		if get.ETag != nil {
			return tagged(*get.ETag, r.Size())
		}
	}
	var gcs *storage.Reader
	if r.As(&gcs) {
		return strconv.FormatInt(gcs.Attrs.Generation, 10)
	}
	var azure azblob.DownloadStreamResponse
	if r.As(&azure) && azure.ETag != nil {
		return tagged(string(*azure.ETag), r.Size())
	}
	return ""
}
