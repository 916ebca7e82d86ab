package demo

// Question is one question the tour asks.
type Question struct {
	Title    string
	Customer string // who asks; empty: the operator
	SQL      string
}

// Questions are asked when every parcel has its receipt.
func Questions() []Question {
	return []Question{
		{"What became of every upload? read = committed + filtered + rejected", "", `SELECT customer, feed, status, reason, read, committed, filtered, rejected
FROM ops.loads ORDER BY _arrived_at`},
		{"Visits by class, over all customers", "", `SELECT customer, class, count(*) AS visits, min(admitted_at)::DATE AS first, max(admitted_at)::DATE AS last
FROM visits WHERE class IS NOT NULL GROUP BY ALL ORDER BY visits DESC LIMIT 6`},
		{"The most frequent conditions, asked by acme, who sees its own rows only", "acme", `SELECT description, count(*) AS patients
FROM (SELECT DISTINCT patient_id, description FROM conditions) GROUP BY ALL ORDER BY patients DESC, description LIMIT 5`},
		{"What Medicare paid for lakeside's residents", "lakeside", `SELECT claim_type, count(*) AS claims, sum(paid) AS paid
FROM claims GROUP BY ALL ORDER BY paid DESC`},
		{"acme's emergency visits after all events: ER-1 was discharged although its transfer came later, ER-3 was cancelled, ER-4 is still in bed", "acme", `SELECT visit_id, event, event_at, bed, admitted_at, discharged_at
FROM visits WHERE source = 'visits_csv' ORDER BY visit_id`},
		{"The history of visit ER-1, in the order things happened", "acme", `SELECT event, bed, _valid_from, _valid_to, _arrived_at
FROM visits_history WHERE visit_id = 'ER-1' ORDER BY _valid_from`},
	}
}
