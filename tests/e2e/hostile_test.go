package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"medlake/shared/archive/lock"
)

const suppliesHeader = "DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,QUANTITY\n"

// given is a file of supplies that no other has: kind says whose.
func given(kind string, n int) []byte {
	var b bytes.Buffer
	b.WriteString(suppliesHeader)
	for i := range n {
		fmt.Fprintf(&b, "2026-03-05,%s,e%d,%s,gauze,%d\n", marker, i, kind, i)
	}
	return b.Bytes()
}

// badArchives is what a sender's program, the way, or an attacker can do to an envelope.
func badArchives(t *testing.T) []upload {
	lockedBy := func(c lock.Cipher, word, kind string) []byte {
		return packed(t, c, word, 1, lock.File{Name: "supplies.csv", Data: given(kind, 20)})
	}
	acme := password("acme")
	whole := lockedBy(lock.AES256, acme, "whole")
	named := func(name string) []byte {
		return packed(t, lock.AES256, acme, 1, lock.File{Name: name, Data: given("named", 3)})
	}
	inner := lockedBy(lock.None, "", "inner")
	for range 2 {
		inner = packed(t, lock.ZipCrypto, acme, 1, lock.File{Name: marker + ".zip", Data: inner})
	}
	slip := packed(t, lock.AES256, acme, 1,
		lock.File{Name: "../../../../../../tmp/" + marker + "/supplies.csv", Data: given("slip", 2)},
		lock.File{Name: "/etc/" + marker + "/supplies.csv", Data: given("root", 2)},
		lock.File{Name: `C:\` + marker + `\supplies.csv`, Data: given("drive", 2)},
	)
	refused := func(name, reason, where string, data []byte) upload {
		return upload{path: "synthea/" + marker + "-" + name, data: data, status: "quarantined", reason: reason, where: where}
	}
	unknown := refused("unknown.zip", "unknown_feed", "", lockedBy(lock.AES256, acme, "unknown"))
	unknown.path = "nowhere/" + marker + ".zip"
	return []upload{
		{path: "synthea/good.zip", data: whole, status: "loaded", rows: map[string]int64{"supplies": 20}},
		refused("cut.zip", "truncated", "", whole[:len(whole)*2/3]),
		refused("aes.zip", "wrong_password", "", lockedBy(lock.AES256, marker, "wrong")),
		refused("zipcrypto.zip", "wrong_password", "", lockedBy(lock.ZipCrypto, marker, "wrong")),
		refused("crc.zip", "corrupt", "entry 0", badSum(lockedBy(lock.None, "", "crc"))),
		refused("crc-zipcrypto.zip", "corrupt", "entry 0", badSum(lockedBy(lock.ZipCrypto, acme, "crc"))),
		refused("hmac.zip", "corrupt", "entry 0", badCode(lockedBy(lock.AES256, acme, "hmac"))),
		refused("overlap.zip", "overlap", "entry 1", overlapping(packed(t, lock.AES256, acme, 1,
			lock.File{Name: "supplies.csv", Data: given("overlap", 9)}, lock.File{Name: "supplies.csv", Data: given("overlap", 9)}))),
		refused("ratio.zip", "ratio", "entry 0", packed(t, lock.AES256, acme, 1, lock.File{Name: "supplies.csv", Data: make([]byte, 12<<20)})),
		refused("nested.zip", "nested", "entry 1", inner),
		refused("empty.zip", "no_member", "", packed(t, lock.None, "", 1)),
		refused("nothing.zip", "not_an_archive", "", nil),
		refused("text.zip", "not_an_archive", "", []byte("the records of "+marker)),
		refused("other.zip", "no_member", "", named(marker+".csv")),
		refused("cut.csv.gz", "truncated", "entry 0", compressed(t, marker+"/supplies.csv", given("gz", 50))[:90]),
		refused("damaged.csv.gz", "corrupt", "entry 0", flipped(compressed(t, marker+"/supplies.csv", given("gz", 50)), -8)),
		unknown,
		{path: "synthea/" + marker + "-slip.zip", data: slip, status: "loaded", rows: map[string]int64{"supplies": 6}},
	}
}

// badSum changes the checksum of the only member, in both its headers. The byte that ZipCrypto looks at stays.
func badSum(zip []byte) []byte {
	zip[14] ^= 1
	zip[bytes.LastIndex(zip, []byte("PK\x01\x02"))+16] ^= 1
	return zip
}

// badCode changes the authentication code that ends the only member.
func badCode(zip []byte) []byte {
	zip[bytes.LastIndex(zip, []byte("PK\x01\x02"))-1] ^= 1
	return zip
}

// overlapping lets the directory name the first member twice.
func overlapping(zip []byte) []byte {
	binary.LittleEndian.PutUint32(zip[bytes.LastIndex(zip, []byte("PK\x01\x02"))+42:], 0)
	return zip
}

func flipped(data []byte, at int) []byte {
	data[(at+len(data))%len(data)] ^= 1
	return data
}

// document is a clinical document with one visit.
func document(n int, start string) string {
	return fmt.Sprintf(`<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
 <id root="1.2" extension="doc-%d"/>
 <title>%s&#x2019;s record</title>
 <recordTarget><patientRole><id extension="%s-%[1]d"/></patientRole></recordTarget>
 <custodian><assignedCustodian><representedCustodianOrganization><name>St. Mary</name></representedCustodianOrganization></assignedCustodian></custodian>
 <component><structuredBody><component><section>
  <templateId root="2.16.840.1.113883.10.20.22.2.22"/>
  <code code="46240-8"/>
  <entry>
   <encounter>
    <id extension="visit-%[1]d"/>
    <effectiveTime><low value="%[4]s"/></effectiveTime>
   </encounter>
  </entry>
 </section></component></structuredBody></component>
</ClinicalDocument>
`, n, marker, marker, start)
}

// documents packs 300 documents, of which one is changed.
func documents(t *testing.T, from, bad int, change func(string) string) []byte {
	var files []lock.File
	for i := range 300 {
		text := document(from+i, "20260305120000")
		if i == bad {
			text = change(text)
		}
		files = append(files, lock.File{Name: fmt.Sprintf("%s-%d.xml", marker, i), Data: []byte(text)})
	}
	return packed(t, lock.ZipCrypto, password("stmary"), 1, files...)
}

// badDocuments is what can be wrong with XML.
func badDocuments(t *testing.T) []upload {
	refused := func(name, reason, where string, change func(string) string) upload {
		return upload{
			path: "ccda/" + marker + "-" + name, status: "quarantined", reason: reason, where: where,
			data: packed(t, lock.AES256, password("stmary"), 1,
				lock.File{Name: "good.xml", Data: []byte(document(9000, "2026"))},
				lock.File{Name: marker + ".xml", Data: []byte(change(document(9001, "2026")))}),
		}
	}
	after := func(mark, text string) func(string) string {
		return func(s string) string { return strings.Replace(s, mark, mark+text, 1) }
	}
	replaced := func(s string) string { return strings.Replace(s, "20260305120000", marker, 1) }
	deep := strings.Repeat("<"+marker+">", 50_000) + strings.Repeat("</"+marker+">", 50_000)
	return []upload{
		refused("doctype.zip", "doctype", "entry 1 line 2", after("?>\n", `<!DOCTYPE x [<!ENTITY name "`+marker+`">]>`)),
		refused("roots.zip", "malformed", "entry 1 line 18", after("</ClinicalDocument>\n", "<"+marker+"/>")),
		refused("deep.zip", "too_deep", "entry 1 line 7", after("<component>", deep)),
		refused("undecodable.zip", "undecodable", "entry 1 line 4", after("<title>", "\xff\xfe")),
		refused("open.zip", "malformed", "entry 1 line 14", after("<encounter>\n", "<"+marker+">")),
		{
			path: "ccda/" + marker + "-300.zip", data: documents(t, 0, 137, replaced), status: "loaded", rejects: 1,
			rows: map[string]int64{"documents": 300, "document_entries": 300, "visits": 299},
		},
	}
}

// badTables is what can be wrong with CSV and text.
func badTables(t *testing.T) []upload {
	one := func(path, name, text string) []byte {
		return packed(t, lock.ZipCrypto, password("lakeside"), 1, lock.File{Name: name, Data: []byte(text)})
	}
	rows := func(bad string) string { // 300, the 150th of them bad
		lines := strings.SplitAfter(string(given("rows", 300)), "\n")
		lines[150] = bad
		return strings.Join(lines, "")
	}
	return []upload{
		{
			path: "synthea/" + marker + "-column.zip", data: one("", "supplies.csv", "DATE,"+marker+",CODE\n2026-03-05,P1,c\n"),
			status: "quarantined", reason: "missing_column", where: "entry 0 line 1 column patient_id",
		},
		{
			path: "synthea/" + marker + "-undecodable.zip", data: one("", "supplies.csv", rows("2026-03-05,\xff,e,c,d,1\n")),
			status: "quarantined", reason: "undecodable", where: "entry 0 line 151",
		},
		{
			path: "synthea/" + marker + "-300.zip", data: one("", "supplies.csv", rows("2026-03-05,P1,e,c,d,"+marker+"\n")),
			status: "loaded", rejects: 1, rows: map[string]int64{"supplies": 299},
		},
		{
			path: "synthea/" + marker + "-types.zip", status: "loaded", rejects: 3, rows: map[string]int64{"supplies": 1},
			data: one("", "supplies.csv", suppliesHeader+"2026-03-05,P1,e,c,d,1\n"+marker+",P1,e,c,d,1\n2026-03-05,,e,c,d,1\n2026-03-05,P1\n"),
		},
	}
}
