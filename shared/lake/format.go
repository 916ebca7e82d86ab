package lake

import "fmt"

// Format is the version number written into every control object (records, pending, log entries, schemas).
//
// Programs of two versions work on one lake at a time: while it is upgraded, and after a rollback. So:
//
//   - Who meets a control object of a format that it does not know neither guesses nor judges: it is an error that passes
//     (CheckFormat), never ErrInvalid. The event comes again, the round is tried again, nothing is deleted or put into
//     quarantine, and it goes on when a program that knows the format does the work.
//   - Fields are only added, and zero means what was before. A program ignores fields that it does not know and may drop
//     them where it writes an object again (records that are shortened, entries that are folded are copied as they are). A
//     field that must not be ignored or dropped makes a new format.
//   - A new kind of object or entry has a format of its own from its first day, so that programs of before stop at it.
//     Pointers to folded entries have Format + 1, entries that erase EraseFormat.
//   - A new format is read one version before it is written. Rolling back is possible until then, and by that one version.
const Format = 1

// CheckFormat returns an error unless the format that a control object says is Format.
func CheckFormat(is int) error {
	if is != Format {
		return fmt.Errorf("format %d: written by another version", is)
	}
	return nil
}
