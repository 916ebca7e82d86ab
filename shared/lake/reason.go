package lake

// Reason is why a file is in quarantine. The raw bytes stay in landing, so the file can be tried again.
type Reason string

// The reason codes. This is the one list; README explains each to the sender.
const (
	NotAnArchive      Reason = "not_an_archive"     // the bytes are no zip or gzip
	Truncated         Reason = "truncated"          // the archive ends early
	WrongPassword     Reason = "wrong_password"     // no current or previous password opens any member
	Corrupt           Reason = "corrupt"            // a CRC, HMAC or compressed stream does not hold
	TooLarge          Reason = "too_large"          // a member or the whole unpacks past its limit
	TooManyEntries    Reason = "too_many_entries"   // more members than allowed
	Ratio             Reason = "ratio"              // unpacks suspiciously large for its size
	Overlap           Reason = "overlap"            // members share bytes of the archive
	Nested            Reason = "nested"             // archives inside archives deeper than the feed allows
	UnsupportedMethod Reason = "unsupported_method" // a compression or encryption we do not read
	UnknownCustomer   Reason = "unknown_customer"   // no metadata for this customer
	UnknownFeed       Reason = "unknown_feed"       // no feed's `from` matches the name
	NoMember          Reason = "no_member"          // no member matches what the feed wants, or the archive is empty
	Undecodable       Reason = "undecodable"        // text is not in its declared encoding
	Malformed         Reason = "malformed"          // the format's syntax does not hold
	Doctype           Reason = "doctype"            // XML with a DOCTYPE
	TooDeep           Reason = "too_deep"           // elements nested too deep
	MissingColumn     Reason = "missing_column"     // a column that must be there is not
	Budget            Reason = "budget"             // a check with `else: fail` broke its budget
	Crashed           Reason = "crashed"            // processing died three times, and again alone
)
