package notice

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// records are notifications of S3 and of servers that speak it.
func records(data json.RawMessage) ([]Object, error) {
	var all []struct {
		EventName string
		S3        struct {
			ConfigurationID string
			Bucket          struct{ Name string }
			Object          struct{ Key, VersionID string }
		}
	}
	if json.Unmarshal(data, &all) != nil {
		return nil, unknown("no records of S3")
	}
	var objects []Object
	var faults error
	for _, r := range all {
		// AWS says ObjectCreated:Put; MinIO and VersityGW say s3:ObjectCreated:Put.
		if !strings.HasPrefix(strings.TrimPrefix(r.EventName, "s3:"), "ObjectCreated:") {
			continue
		}
		key := r.S3.Object.Key
		// The key is encoded like a form, so that a plus is a space. VersityGW, which calls its only configuration
		// <sender>-global, does not encode.
		if !strings.HasSuffix(r.S3.ConfigurationID, "-global") {
			var err error
			if key, err = url.QueryUnescape(key); err != nil {
				faults = unknown("key is not encoded")
				continue
			}
		}
		some, err := object("s3", r.S3.Bucket.Name, key, r.S3.Object.VersionID)
		if err != nil {
			faults = err
		}
		objects = append(objects, some...)
	}
	return objects, faults
}

// eventBridge is S3's event on Amazon's bus. Its key is not encoded.
func eventBridge(top fields) ([]Object, error) {
	if top.text("detail-type") != "Object Created" {
		return nil, nil
	}
	detail := top.inner("detail")
	o := detail.inner("object")
	return object("s3", detail.inner("bucket").text("name"), o.text("key"), o.text("version-id"))
}

// pubsub is a notification of Google Cloud Storage by the attributes of its message, which its body repeats.
func pubsub(kind string, attributes map[string]string) ([]Object, error) {
	if kind != "OBJECT_FINALIZE" {
		return nil, nil
	}
	return object("gs", attributes["bucketId"], attributes["objectId"], attributes["objectGeneration"])
}

// push is a message of Pub/Sub as it is posted: its body is in base64.
func push(message json.RawMessage, depth int) ([]Object, error) {
	var m struct {
		Attributes map[string]string
		Data       string
	}
	if json.Unmarshal(message, &m) != nil {
		return nil, unknown("no message of Pub/Sub")
	}
	body, err := base64.StdEncoding.DecodeString(m.Data)
	if err != nil {
		return nil, unknown("data is no base64")
	}
	return parse(Message{Attributes: m.Attributes, Body: body}, depth-1)
}

// google is Google's description of an object.
func google(o fields) ([]Object, error) {
	return object("gs", o.text("bucket"), o.text("name"), o.text("generation")) // a number of 64 bits, so in quotes
}

const (
	azureCreated = "Microsoft.Storage.BlobCreated"
	validation   = "Microsoft.EventGrid.SubscriptionValidationEvent"
)

// eventGrid is an event of Azure in either schema. The subject is /blobServices/default/containers/C/blobs/KEY. Its key is
// not encoded. The etag it tells is no version: what was overwritten cannot be asked for by it.
func eventGrid(kind, subject string, data fields) ([]Object, error) {
	if kind != azureCreated || data.text("api") == "CreateFile" { // a data lake account tells of the empty file first
		return nil, nil
	}
	_, rest, found := strings.Cut(subject, "/containers/")
	container, key, cut := strings.Cut(rest, "/blobs/")
	if !found || !cut {
		return nil, unknown("subject names no blob")
	}
	return object("azblob", container, key, "")
}

func object(store, bucket, key, version string) ([]Object, error) {
	if bucket == "" || key == "" {
		return nil, unknown("names no object")
	}
	if version == "null" { // S3's version of objects from before versions were kept
		version = ""
	}
	return []Object{{Store: store, Bucket: bucket, Key: key, Version: version}}, nil
}
