package bench

import (
	"bytes"
	"fmt"
	"strings"
)

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\"", "&quot;")

// document writes one encounter as an XML document of about 3 KB.
func (g *generator) document(w *bytes.Buffer) {
	v := g.record()
	for i := range v {
		v[i] = escape.Replace(v[i])
	}
	r := g.r
	p := func(format string, args ...any) { fmt.Fprintf(w, format, args...) }
	p("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<Encounter xmlns=\"urn:acme:emr:v2\" version=\"2.3\">\r\n  <Header>\r\n    <MessageId>%s</MessageId>\r\n    <MessageTime>%s</MessageTime>\r\n    <Sender>ACME EMR 7.2</Sender>\r\n  </Header>\r\n", v[0], v[1])
	p("  <Facility id=\"%s\">\r\n    <Name>%s</Name>\r\n    <Type>%s</Type>\r\n    <NPI>%s</NPI>\r\n  </Facility>\r\n", v[2], v[3], v[4], v[5])
	p("  <Patient>\r\n    <MRN>%s</MRN>\r\n    <Name>\r\n      <Family>%s</Family>\r\n      <Given>%s</Given>\r\n", v[6], v[7], v[8])
	if v[9] != "" {
		p("      <Middle>%s</Middle>\r\n", v[9])
	} else {
		p("      <Middle/>\r\n")
	}
	p("    </Name>\r\n    <BirthDate>%s</BirthDate>\r\n    <Sex>%s</Sex>\r\n    <Race>%s</Race>\r\n    <Language>%s</Language>\r\n    <MaritalStatus>%s</MaritalStatus>\r\n", v[10], v[11], v[12], v[13], v[14])
	p("    <Address type=\"home\">\r\n      <Line1>%s</Line1>\r\n      <City>%s</City>\r\n      <State>%s</State>\r\n      <Zip>%s</Zip>\r\n    </Address>\r\n    <Phone use=\"mobile\">%s</Phone>\r\n  </Patient>\r\n", v[15], v[16], v[17], v[18], v[19])
	p("  <Insurance>\r\n    <PlanName>%s</PlanName>\r\n    <MemberId>%s</MemberId>\r\n    <Rank>1</Rank>\r\n  </Insurance>\r\n", v[20], v[21])
	p("  <Visit>\r\n    <VisitNumber>%s</VisitNumber>\r\n    <Class>%s</Class>\r\n    <AdmitTime>%s</AdmitTime>\r\n", v[22], v[23], v[24])
	if v[25] != "" {
		p("    <DischargeTime>%s</DischargeTime>\r\n", v[25])
	}
	p("    <Location>\r\n      <Room>%s</Room>\r\n      <Bed>%s</Bed>\r\n    </Location>\r\n    <Attending>\r\n      <NPI>%s</NPI>\r\n      <Name>%s</Name>\r\n    </Attending>\r\n    <ChiefComplaint>%s</ChiefComplaint>\r\n    <Readmission>%s</Readmission>\r\n  </Visit>\r\n", v[26], v[27], v[28], v[29], v[30], v[39])
	p("  <Vitals>\r\n    <Temp unit=\"F\">%s</Temp>\r\n    <Pulse>%s</Pulse>\r\n    <RespRate>%s</RespRate>\r\n    <BP>\r\n      <Systolic>%s</Systolic>\r\n      <Diastolic>%s</Diastolic>\r\n    </BP>\r\n    <SpO2>%s</SpO2>\r\n", v[31], v[32], v[33], v[34], v[35], v[36])
	if v[37] != "" {
		p("    <WeightKg>%s</WeightKg>\r\n", v[37])
	}
	p("  </Vitals>\r\n  <Diagnoses>\r\n")
	for i := range 1 + r.IntN(4) {
		d := pick(r, diagnoses)
		p("    <Dx seq=\"%d\">\r\n      <Code>%s</Code>\r\n      <Description>%s</Description>\r\n      <POA>Y</POA>\r\n    </Dx>\r\n", i+1, d[0], d[1])
	}
	p("  </Diagnoses>\r\n")
	if n := r.IntN(4); n > 0 {
		p("  <Medications>\r\n")
		for range n {
			m := pick(r, drugs)
			p("    <Med>\r\n      <Name>%s</Name>\r\n      <Dose>%s</Dose>\r\n      <Route>%s</Route>\r\n    </Med>\r\n", m[0], m[1], m[2])
		}
		p("  </Medications>\r\n")
	}
	p("  <Billing>\r\n    <TotalCharge currency=\"USD\">%s</TotalCharge>\r\n    <Status>Open</Status>\r\n  </Billing>\r\n</Encounter>\r\n", v[38])
}
