package postgres

import (
	"strings"
	"testing"
)

// What cannot be parsed is explained, and the explanation goes to a terminal, a file or
// a colleague.
func FuzzPasswordIsInTheError(f *testing.F) {
	for _, s := range []string{"hunter2horse", "hunter%zzhorse", "12@hunter", "a/b?c=d", "it's a secret", `back\slash horse`, "::::horse"} {
		f.Add(s, "h", "db")
	}
	f.Fuzz(func(t *testing.T, password, host, database string) {
		if len(password) < 6 || strings.Contains(host+database+forms(), password) {
			return // too short to be told from what else is in an error
		}
		for _, dsn := range []string{
			"postgres://me:" + password + "@" + host + ":1/" + database,
			"host=" + host + " dbname=" + database + " password=" + password,
			"host=" + host + " password='" + password + "'",
		} {
			if _, err := parseDSN(dsn); err != nil && strings.Contains(err.Error(), password) {
				t.Errorf("%q: %v", dsn, err)
			}
		}
	})
}

// forms is the text of an error that has nothing of the DSN.
func forms() string {
	_, err := parseDSN("postgres://me:12@34@h/db")
	_, other := parseDSN("host=h port=99999")
	return err.Error() + other.Error()
}
