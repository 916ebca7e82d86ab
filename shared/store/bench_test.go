package store_test

import (
	"fmt"
	"testing"
)

func BenchmarkPut(b *testing.B) {
	for _, kind := range []string{"mem", "file"} {
		for _, size := range []int{1 << 10, 100 << 10} {
			b.Run(fmt.Sprintf("%s/%dKiB", kind, size>>10), func(b *testing.B) {
				bucket := open(b, kind)
				data := make([]byte, size)
				b.SetBytes(int64(size))
				i := 0
				for b.Loop() {
					if err := bucket.PutIfAbsent(b.Context(), fmt.Sprintf("loads/%d", i), data); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
		}
	}
}

func BenchmarkGet(b *testing.B) {
	bucket := open(b, "file")
	if err := bucket.Put(b.Context(), "loads/1", make([]byte, 4<<10)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bucket.Get(b.Context(), "loads/1"); err != nil {
			b.Fatal(err)
		}
	}
}
