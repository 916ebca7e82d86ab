package faas

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/cloudevents/sdk-go/v2/event"

	"medlake/shared/lake"
)

// Types of our own events.
const (
	// ArrivalType is the type of an event that names one upload. Its data is the lake.Arrival as JSON, its id the
	// arrival's id; no file name stands in id, subject or source.
	ArrivalType = "dev.medlake.arrival.v1"
	// TickType is the type of an event that asks a function to look for work now. It has no data.
	TickType = "dev.medlake.tick.v1"
)

// arrivalTypes begin all versions of ArrivalType.
const arrivalTypes = "dev.medlake.arrival."

// Extensions of arrival events.
const (
	// extCustomer is the tenant, so that a bus can be fair without opening the data.
	extCustomer = "customer"
	// extResent marks an event that was sent before: by a sweep, or by a retry after a failure.
	extResent = "resent"
)

const source = "medlake"

// NewArrival makes the event of an arrival. resent says that it was sent before.
func NewArrival(a lake.Arrival, resent bool) (event.Event, error) {
	e := event.New()
	e.SetID(a.ID())
	e.SetType(ArrivalType)
	e.SetSource(source)
	e.SetExtension(extCustomer, a.Customer())
	if resent {
		e.SetExtension(extResent, "true")
	}
	if err := e.SetData(event.ApplicationJSON, a); err != nil {
		return e, fmt.Errorf("event of arrival %s: %w", a.ID(), err)
	}
	return e, nil
}

// ParseArrival reads an arrival event. Its errors are lake.ErrInvalid and hold nothing of the event's data; but that of
// another version passes.
func ParseArrival(e event.Event) (a lake.Arrival, resent bool, err error) {
	if e.Type() != ArrivalType {
		if strings.HasPrefix(e.Type(), arrivalTypes) {
			return a, false, errors.New("arrival event: written by another version")
		}
		return a, false, fmt.Errorf("event type is not %s: %w", ArrivalType, lake.ErrInvalid)
	}
	if json.Unmarshal(e.Data(), &a) != nil {
		return a, false, fmt.Errorf("arrival event: data is not an arrival: %w", lake.ErrInvalid)
	}
	if !lake.ValidCustomer(a.Customer()) || a.Bucket == "" {
		return a, false, fmt.Errorf("arrival event: key is not in landing: %w", lake.ErrInvalid)
	}
	return a, Resent(e), nil
}

// NewTick makes an event that asks a function to look for work now.
func NewTick(id string) event.Event {
	e := event.New()
	e.SetID(id)
	e.SetType(TickType)
	e.SetSource(source)
	return e
}

// Tell returns what logs, metrics and traces may tell of an event: of one that is not our own neither type nor id, since
// senders put file names there.
func Tell(e event.Event) (kind, id string) {
	switch e.Type() {
	case ArrivalType, ObjectType, TickType:
		return e.Type(), e.ID()
	}
	return "other", ""
}

// Resent reports whether e was sent before.
func Resent(e event.Event) bool { return e.Extensions()[extResent] == "true" }

// Customer is the tenant an event belongs to; empty if it names none.
func Customer(e event.Event) string {
	c, _ := e.Extensions()[extCustomer].(string)
	return c
}
