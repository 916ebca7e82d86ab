package faas

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/faas/notice"
	"medlake/shared/lake"
)

// ObjectType is the type of an event that names an object of which a store says that it is new. Its data is a
// notice.Object as JSON; no key stands in its other attributes. Handlers get it in place of whatever shape the store, or
// the queue between, has sent.
const ObjectType = "dev.medlake.object.v1"

func newObject(o notice.Object) (event.Event, error) {
	e := event.New()
	e.SetID(lake.Hash("object", o.URL(), o.Version))
	e.SetType(ObjectType)
	e.SetSource(source)
	if err := e.SetData(event.ApplicationJSON, o); err != nil {
		return e, fmt.Errorf("event of an object: %w", err)
	}
	return e, nil
}

// ParseObject reads an event of ObjectType. Its errors are lake.ErrInvalid and hold nothing of the event's data.
func ParseObject(e event.Event) (o notice.Object, err error) {
	if json.Unmarshal(e.Data(), &o) != nil || o.Bucket == "" || o.Key == "" {
		return o, fmt.Errorf("object event: data name no object: %w", lake.ErrInvalid)
	}
	return o, nil
}

// expand returns the events that an event stands for: one for each object if it is a store's, else itself. An error is
// about a part that cannot be read; the events are those of the other parts.
func expand(e event.Event) ([]event.Event, error) {
	if err := e.Validate(); err != nil {
		return nil, fmt.Errorf("not a valid event: %w", lake.ErrInvalid) // the cause may hold data
	}
	if !notice.Known(e.Type()) {
		return []event.Event{e}, nil
	}
	return objects(notice.Message{Type: e.Type(), Subject: e.Subject(), Body: e.Data()})
}

// unwrap returns the events that a message without the headers of a CloudEvent stands for.
func unwrap(m notice.Message) ([]event.Event, error) {
	var e event.Event
	if json.Unmarshal(m.Body, &e) == nil && e.Validate() == nil {
		return expand(e)
	}
	return objects(m)
}

func objects(m notice.Message) ([]event.Event, error) {
	found, fault := notice.Parse(m)
	events := make([]event.Event, len(found))
	for i, o := range found {
		var err error
		if events[i], err = newObject(o); err != nil {
			return nil, err
		}
	}
	return events, fault
}

// outcome joins what became of the parts of a message. One that must be tried again makes the whole come again, which is
// harmless because handlers are idempotent; it outweighs those at fault.
type outcome struct{ invalid, again error }

func (o *outcome) add(err error) {
	switch {
	case err == nil:
	case errors.Is(err, lake.ErrInvalid):
		o.invalid = err
	default:
		o.again = err
	}
}

func (o *outcome) err() error {
	if o.again != nil {
		return o.again
	}
	return o.invalid
}
