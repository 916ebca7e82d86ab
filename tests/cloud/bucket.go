package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"medlake/shared/store"
)

const region = "us-east-1"

// accounts is what every process of the run finds in its environment: the account of the S3 servers and of the mock
// cloud, and the one that the Azure emulator is born with.
var accounts = map[string]string{
	"AWS_ACCESS_KEY_ID":         accessKey,
	"AWS_SECRET_ACCESS_KEY":     secretKey,
	"AWS_REGION":                region,
	"AWS_EC2_METADATA_DISABLED": "true",
	"AZURE_STORAGE_ACCOUNT":     "devstoreaccount1",
	"AZURE_STORAGE_KEY":         "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
}

// bucket is the URL of a new, empty bucket of a server: versitygw, minio, moto, fake-gcs-server or azurite. Processes that
// the check starts can open it as it is.
func (c *cloud) bucket(ctx context.Context, server string) (url string, err error) {
	name := c.name()
	switch server {
	case "versitygw", "minio", "moto":
		url = fmt.Sprintf("s3://%s?region=%s&endpoint=%s&use_path_style=true", name, region, c.url(server))
	case "fake-gcs-server":
		if err := os.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(c.url(server), "http://")); err != nil {
			return "", err
		}
		url = fmt.Sprintf("gs://%s?anonymous=true", name)
	case "azurite":
		url = fmt.Sprintf("azblob://%s?protocol=http&localemu=true&domain=%s&storage_account=%s", name,
			strings.TrimPrefix(c.url(server), "http://"), accounts["AZURE_STORAGE_ACCOUNT"])
	default:
		return "", fmt.Errorf("%s has no buckets", server)
	}
	b, err := store.Open(ctx, url)
	if err != nil {
		return "", err
	}
	return url, errors.Join(create(ctx, b, name), b.Close())
}

// create makes the bucket that b will be, with the client that b itself uses.
func create(ctx context.Context, b *store.Bucket, name string) error {
	var (
		amazon *s3.Client
		google *storage.Client
		azure  *container.Client
		err    error
	)
	switch {
	case b.Blob().As(&amazon):
		_, err = amazon.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	case b.Blob().As(&google):
		err = google.Bucket(name).Create(ctx, "medlake", nil)
	case b.Blob().As(&azure):
		_, err = azure.Create(ctx, nil)
	default:
		err = errors.New("the driver has no client that makes buckets")
	}
	return err
}
