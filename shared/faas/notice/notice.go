// Package notice reads what object stores tell about new objects, in every shape they and the queues between tell it. A
// notice is a hint: it names an object, and the store is asked about all else. It opens no connection and knows no lake.
package notice

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"medlake/shared/lake"
)

// Object is a new object as a notice names it.
type Object struct {
	Store   string `json:"store"`             // s3, gs or azblob: the scheme of the bucket's URL
	Bucket  string `json:"bucket"`            // the bucket, Azure's container
	Key     string `json:"key"`               // the whole key, as the store spells it; it may identify a patient: never log it
	Version string `json:"version,omitempty"` // the store's version id or generation, if it keeps versions and the notice says it
}

// URL is the object's name as the lake spells buckets: s3://bucket/key.
func (o Object) URL() string { return o.Store + "://" + o.Bucket + "/" + o.Key }

// Message is what carries a notice.
type Message struct {
	Type       string            // of the CloudEvent that has Body as its data; empty if it is none
	Subject    string            // of that CloudEvent
	Attributes map[string]string // of a queue's message
	Body       []byte            // JSON; of a CloudEvent the data
}

// maxDepth bounds envelopes in envelopes, and lists in lists. Three are met: an SNS envelope in an SQS body in a CloudEvent.
const maxDepth = 5

// Parse returns the objects that a message says were created; none if it tells of something else: deletes, tests of the
// connection, metadata. The error is lake.ErrInvalid if the message, or a part of it, is in no known shape; the objects are
// those of the other parts. It holds nothing of the message.
func Parse(m Message) ([]Object, error) { return parse(m, maxDepth) }

func parse(m Message, depth int) ([]Object, error) {
	if depth == 0 {
		return nil, unknown("nested too deep")
	}
	if kind := m.Attributes["eventType"]; m.Attributes["bucketId"] != "" { // a Pub/Sub notification: the body may be left out
		return pubsub(kind, m.Attributes)
	}
	body := bytes.TrimSpace(bytes.TrimPrefix(m.Body, []byte("\ufeff")))
	if len(body) == 0 {
		return nil, unknown("empty")
	}
	if body[0] == '[' {
		return list(body, depth)
	}
	var top fields
	if json.Unmarshal(body, &top) != nil {
		return nil, unknown("no JSON object")
	}
	if m.Type != "" {
		return event(m.Type, m.Subject, body, top, depth)
	}
	return envelope(top, depth)
}

// list is an array of notices, as Event Grid posts them.
func list(body []byte, depth int) ([]Object, error) {
	var items []json.RawMessage
	if json.Unmarshal(body, &items) != nil {
		return nil, unknown("no JSON array")
	}
	var all []Object
	var faults error
	for _, item := range items {
		some, err := parse(Message{Body: item}, depth-1)
		if err != nil {
			faults = err
		}
		all = append(all, some...)
	}
	return all, faults
}

// envelope tells shapes apart by the names of their fields, upper and lower case being different.
func envelope(top fields, depth int) ([]Object, error) {
	switch {
	case top.has("specversion"): // a CloudEvent in structured mode
		data, err := top.data()
		if err != nil {
			return nil, err
		}
		return parse(Message{Type: top.text("type"), Subject: top.text("subject"), Body: data}, depth-1)
	case top.has("Records"):
		return records(top["Records"])
	case top.text("Event") == "s3:TestEvent":
		return nil, nil
	case top.text("Type") == "Notification" && top.has("TopicArn"): // SNS around anything
		return parse(Message{Body: []byte(top.text("Message"))}, depth-1)
	case top.has("TopicArn") && top.has("Token"): // SNS asks or tells about a subscription
		return nil, nil
	case top.has("detail-type"):
		return eventBridge(top)
	case top.has("eventType") && top.has("subject"):
		return eventGrid(top.text("eventType"), top.text("subject"), top.inner("data"))
	case top.has("message") && top.has("subscription"):
		return push(top["message"], depth)
	case top.text("kind") == "storage#object": // Google's object without the attributes that say what became of it
		return google(top)
	}
	return nil, unknown("no known shape")
}

// event is a CloudEvent of a store, or of a source that carries a store's own notice.
func event(kind, subject string, body []byte, top fields, depth int) ([]Object, error) {
	switch kind {
	case "google.cloud.storage.object.v1.finalized":
		return google(top)
	case "google.cloud.pubsub.topic.v1.messagePublished":
		return push(top["message"], depth)
	case azureCreated:
		return eventGrid(kind, subject, top)
	case "dev.knative.connector.event.aws-sqs", "dev.knative.eventing.aws-sqs", "dev.knative.eventing.aws-sns", "aws.s3.object.created":
		return parse(Message{Body: body}, depth-1)
	}
	return nil, nil
}

var sources = []string{
	"google.cloud.storage.object.", "google.cloud.pubsub.topic.", "Microsoft.Storage.",
	"dev.knative.connector.event.aws-", "dev.knative.eventing.aws-", "aws.s3.",
}

// Known reports whether the data of CloudEvents of this type are for Parse to read.
func Known(kind string) bool {
	return slices.ContainsFunc(sources, func(prefix string) bool { return strings.HasPrefix(kind, prefix) })
}

// Validation returns the code with which Event Grid asks whether an endpoint wants its events; the endpoint answers
// {"validationResponse": code}.
func Validation(body []byte) (code string, ok bool) {
	var events []struct {
		EventType string
		Data      struct{ ValidationCode string }
	}
	if json.Unmarshal(body, &events) != nil || len(events) != 1 || events[0].EventType != validation {
		return "", false
	}
	code = events[0].Data.ValidationCode
	return code, code != ""
}

// Subscription returns the SNS topic that asks for a subscription to be confirmed.
func Subscription(body []byte) (topic string, ok bool) {
	var top fields
	if json.Unmarshal(body, &top) != nil || top.text("Type") != "SubscriptionConfirmation" {
		return "", false
	}
	return top.text("TopicArn"), true
}

func unknown(why string) error { return fmt.Errorf("notice: %s: %w", why, lake.ErrInvalid) }
