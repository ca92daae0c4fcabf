package postgres

import (
	"encoding/binary"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// standInVersion is what the stand-in calls its version. Clients parse the
// number; people read the rest.
const standInVersion = "15.0 (stand-in)"

// A verb is what a statement does.
type verb uint8

const (
	nothing verb = iota // An empty statement or a comment, which pgx sends as a ping.
	one                 // select 1
	sleep               // select pg_sleep(seconds)
	show                // show <setting>
)

// A statement is one that the stand-in knows.
type statement struct {
	verb    verb
	open    bool          // A sleep whose length is a parameter that is yet to come.
	pause   time.Duration // Of a sleep.
	setting string        // Of a show.
}

var (
	comment   = regexp.MustCompile(`--[^\n]*`)
	sleepForm = regexp.MustCompile(`^select\s+pg_sleep\s*\(\s*(\$1|[0-9.e+-]+)\s*\)$`)
	showForm  = regexp.MustCompile(`^show\s+(max_connections|superuser_reserved_connections|server_version)$`)
)

// parseStatement recognises sql, or says what the stand-in would recognise.
func parseStatement(sql string) (statement, *pgproto3.ErrorResponse) {
	sql = strings.TrimRight(strings.TrimSpace(comment.ReplaceAllString(sql, "")), "; \t\r\n")
	sql = strings.ToLower(sql)
	if sql == "" {
		return statement{}, nil
	}
	if strings.Join(strings.Fields(sql), " ") == "select 1" {
		return statement{verb: one}, nil
	}
	if m := showForm.FindStringSubmatch(sql); m != nil {
		return statement{verb: show, setting: m[1]}, nil
	}
	if m := sleepForm.FindStringSubmatch(sql); m != nil {
		if m[1] == "$1" {
			return statement{verb: sleep, open: true}, nil
		}
		return statement{verb: sleep}.lasting(m[1])
	}
	return statement{}, complain(codeNotSupported, "the stand-in runs no SQL; it knows: select 1, select pg_sleep(seconds), "+
		"show max_connections, show superuser_reserved_connections, show server_version")
}

// lasting returns st with a pause of the seconds in text.
func (st statement) lasting(text string) (statement, *pgproto3.ErrorResponse) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return st, complain(codeInvalidText, "pg_sleep takes a number of seconds")
	}
	return st.lastingSeconds(seconds)
}

func (st statement) lastingSeconds(seconds float64) (statement, *pgproto3.ErrorResponse) {
	const longest = 24 * 60 * 60
	// Written so that NaN is out of range too.
	if !(seconds >= 0 && seconds <= longest) {
		return st, complain(codeInvalidText, "pg_sleep takes a number of seconds from 0 to 86400")
	}
	st.open, st.pause = false, time.Duration(seconds*float64(time.Second))
	return st, nil
}

func (st statement) needsParameter() bool { return st.open }

// bind returns st with its parameter filled in, which comes as text or as a
// binary double, as the client likes.
func (st statement) bind(values [][]byte, formats []int16) (statement, *pgproto3.ErrorResponse) {
	want := 0
	if st.open {
		want = 1
	}
	if len(values) != want {
		return st, complain(codeInvalidText, "the statement takes "+strconv.Itoa(want)+" parameters, not "+strconv.Itoa(len(values)))
	}
	if want == 0 {
		return st, nil
	}
	if len(formats) == 0 || formats[0] == 0 {
		return st.lasting(string(values[0]))
	}
	if len(values[0]) != 8 {
		return st, complain(codeInvalidText, "pg_sleep takes a double, which has 8 bytes")
	}
	return st.lastingSeconds(math.Float64frombits(binary.BigEndian.Uint64(values[0])))
}

// parameters describes what st takes.
func (st statement) parameters() *pgproto3.ParameterDescription {
	d := &pgproto3.ParameterDescription{}
	if st.open {
		d.ParameterOIDs = []uint32{pgtype.Float8OID}
	}
	return d
}

// columns describes the one column that st returns.
func (st statement) columns(binary bool) *pgproto3.RowDescription {
	const voidOID = 2278
	f := pgproto3.FieldDescription{Name: []byte("?column?"), DataTypeOID: pgtype.Int4OID, DataTypeSize: 4, TypeModifier: -1}
	switch st.verb {
	case sleep:
		f.Name, f.DataTypeOID = []byte("pg_sleep"), voidOID
	case show:
		f.Name, f.DataTypeOID, f.DataTypeSize = []byte(st.setting), pgtype.TextOID, -1
	}
	if binary {
		f.Format = 1
	}
	return &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{f}}
}

// value is what st returns in its one row. Text looks the same in both formats.
func (st statement) value(slots int, binary bool) []byte {
	switch {
	case st.verb == one && binary:
		return []byte{0, 0, 0, 1}
	case st.verb == one:
		return []byte("1")
	case st.setting == "max_connections":
		return []byte(strconv.Itoa(slots))
	case st.setting == "superuser_reserved_connections":
		return []byte(strconv.Itoa(reservedSlots))
	case st.setting == "server_version":
		return []byte(standInVersion)
	}
	return []byte{} // The void of pg_sleep, which is not NULL.
}

// tag is the command tag of st.
func (st statement) tag() string {
	if st.verb == show {
		return "SHOW"
	}
	return "SELECT 1"
}

// complain is an error after which the session goes on.
func complain(code, message string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: code, Message: message}
}
