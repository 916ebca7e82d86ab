package store

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"cloud.google.com/go/storage"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"

	"medlake/shared/store/durable"
)

// version tells one content of a key from another: S3's version id if the bucket keeps versions, Google's generation,
// else etag and size.
func version(a *blob.Attributes) string {
	var head s3.HeadObjectOutput
	if a.As(&head) && head.VersionId != nil && *head.VersionId != "" && *head.VersionId != "null" {
		return *head.VersionId
	}
	var gcs storage.ObjectAttrs
	if a.As(&gcs) {
		return strconv.FormatInt(gcs.Generation, 10)
	}
	return tagged(a.ETag, a.Size)
}

// listedVersion is the same from an entry of a listing; empty if the listing does not tell.
func listedVersion(o *blob.ListObject) string {
	var gcs storage.ObjectAttrs
	if o.As(&gcs) {
		return strconv.FormatInt(gcs.Generation, 10)
	}
	var fi fs.FileInfo
	if o.As(&fi) {
		return tagged(durable.ETag(fi), o.Size)
	}
	return ""
}

func tagged(etag string, size int64) string {
	return fmt.Sprintf("%s-%d", strings.Trim(strings.TrimPrefix(etag, "W/"), `"`), size)
}
