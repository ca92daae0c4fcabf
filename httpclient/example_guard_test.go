package httpclient_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/tidegate-go/tidegate/limiter"
)

// What is not HTTP is guarded by a Limiter itself. This is the shape of a gRPC
// client interceptor, with a stand-in for the status codes of gRPC; Classify
// tells the Limiter what they mean.
func Example_gRPC() {
	guard := limiter.New(limiter.Adaptive(limiter.AdaptiveConfig{}), limiter.Classify(func(err error) limiter.Outcome {
		var s statusError
		if !errors.As(err, &s) {
			return limiter.OutcomeOf(err)
		}
		switch s {
		case "ResourceExhausted", "Unavailable":
			return limiter.Refused
		case "DeadlineExceeded":
			return limiter.Overdue
		case "Canceled":
			return limiter.Cancelled
		case "Internal", "Unknown", "DataLoss":
			return limiter.Failed
		default:
			return limiter.Success // NotFound and the like: it was answered
		}
	}))
	type invoker func(ctx context.Context, method string, req, reply any) error
	intercept := func(ctx context.Context, method string, req, reply any, invoke invoker) error {
		_, err := limiter.Do(ctx, guard, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, invoke(ctx, method, req, reply)
		})
		return err
	}

	for _, answer := range []error{nil, statusError("NotFound"), statusError("ResourceExhausted")} {
		intercept(context.Background(), "/greeter/Hello", nil, nil, func(context.Context, string, any, any) error { return answer })
	}
	o := guard.Stats().Outcomes
	fmt.Println(o.Success, "answered,", o.Refused, "refused")
	// Output: 2 answered, 1 refused
}

type statusError string

func (e statusError) Error() string { return "rpc error: " + string(e) }

// A query through database/sql. The permit is held until the rows are closed: so
// long the server is at work.
func Example_databaseSQL() {
	db := sql.OpenDB(oneRow{})
	defer db.Close()
	guard := limiter.New(limiter.Fixed(20), limiter.MaxQueue(1000))

	query := func(ctx context.Context, text string) (name string, err error) {
		permit, err := guard.Acquire(ctx)
		if err != nil {
			return "", err // not sent: the database is busy
		}
		defer permit.Release()
		rows, err := db.QueryContext(ctx, text)
		permit.Report(limiter.OutcomeOf(err))
		if err != nil {
			return "", err
		}
		defer rows.Close() // before the permit is released
		for rows.Next() {
			if err := rows.Scan(&name); err != nil {
				return "", err
			}
		}
		return name, rows.Err()
	}
	fmt.Println(query(context.Background(), "SELECT name FROM people"))
	fmt.Println(guard.Stats().InFlight, "in flight")
	// Output:
	// Ada <nil>
	// 0 in flight
}

// oneRow is a database that answers every query with one row.
type oneRow struct{}

func (oneRow) Connect(context.Context) (driver.Conn, error) { return oneRow{}, nil }
func (oneRow) Driver() driver.Driver                        { return nil }
func (oneRow) Prepare(string) (driver.Stmt, error)          { return nil, driver.ErrSkip }
func (oneRow) Begin() (driver.Tx, error)                    { return nil, driver.ErrSkip }
func (oneRow) Close() error                                 { return nil }

func (oneRow) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &row{}, nil
}

type row struct{ done bool }

func (*row) Columns() []string { return []string{"name"} }
func (*row) Close() error      { return nil }
func (r *row) Next(dest []driver.Value) error {
	if r.done {
		return io.EOF
	}
	r.done, dest[0] = true, "Ada"
	return nil
}
