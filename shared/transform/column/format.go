package column

import (
	"strconv"
	"time"
)

// AppendDecimal spells units scaled by 10^scale: 1234 with scale 2 is 12.34.
func AppendDecimal(b []byte, units int64, scale int) []byte {
	if scale == 0 {
		return strconv.AppendInt(b, units, 10)
	}
	u := uint64(units)
	if units < 0 {
		b = append(b, '-')
		u = -u
	}
	ten := uint64(tens[scale])
	b = strconv.AppendUint(b, u/ten, 10)
	b = append(b, '.')
	rest := u % ten
	for ten /= 10; ten > 0; ten /= 10 {
		b = append(b, byte('0'+rest/ten%10))
	}
	return b
}

// AppendDate spells days since 1970-01-01 as 2006-01-02.
func AppendDate(b []byte, days int64) []byte {
	return time.Unix(days*86_400, 0).UTC().AppendFormat(b, time.DateOnly)
}

// AppendTimestamp spells microseconds since 1970-01-01 UTC as 2006-01-02T15:04:05Z, with a fraction if there is one.
func AppendTimestamp(b []byte, micros int64) []byte {
	return time.UnixMicro(micros).UTC().AppendFormat(b, "2006-01-02T15:04:05.999999Z07:00")
}
