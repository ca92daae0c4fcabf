package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// query answers the simple protocol.
func (s *session) query(sql string) {
	st, fault := parseStatement(sql)
	if fault == nil && st.needsParameter() {
		fault = complain(codeNotSupported, "a parameter needs the extended protocol")
	}
	if fault == nil {
		if st.verb != nothing {
			s.wire.Send(st.columns(false))
		}
		fault = s.run(portal{statement: st})
	}
	if fault != nil {
		s.wire.Send(fault)
	}
}

// extended answers one message of the extended protocol.
func (s *session) extended(m pgproto3.FrontendMessage) *pgproto3.ErrorResponse {
	switch m := m.(type) {
	case *pgproto3.Parse:
		st, fault := parseStatement(m.Query)
		if fault != nil {
			return fault
		}
		s.statements[m.Name] = st
		s.wire.Send(&pgproto3.ParseComplete{})
	case *pgproto3.Bind:
		st, ok := s.statements[m.PreparedStatement]
		if !ok {
			return complain(codeNoStatement, "there is no such prepared statement")
		}
		st, fault := st.bind(m.Parameters, m.ParameterFormatCodes)
		if fault != nil {
			return fault
		}
		s.portals[m.DestinationPortal] = portal{st, len(m.ResultFormatCodes) > 0 && m.ResultFormatCodes[0] == 1}
		s.wire.Send(&pgproto3.BindComplete{})
	case *pgproto3.Describe:
		return s.describe(m)
	case *pgproto3.Execute:
		p, ok := s.portals[m.Portal]
		if !ok {
			return complain(codeNoStatement, "there is no such portal")
		}
		return s.run(p)
	case *pgproto3.Close:
		if m.ObjectType == 'S' {
			delete(s.statements, m.Name)
		} else {
			delete(s.portals, m.Name)
		}
		s.wire.Send(&pgproto3.CloseComplete{})
	default:
		return complain(codeNotSupported, "the stand-in does not know this message")
	}
	return nil
}

// describe answers what a statement takes and what a statement or portal gives.
func (s *session) describe(m *pgproto3.Describe) *pgproto3.ErrorResponse {
	p, ok := s.portals[m.Name]
	if m.ObjectType == 'S' {
		p.statement, ok = s.statements[m.Name]
		p.binary = false
	}
	if !ok {
		return complain(codeNoStatement, "there is nothing of this name to describe")
	}
	if m.ObjectType == 'S' {
		s.wire.Send(p.parameters())
	}
	if p.verb == nothing {
		s.wire.Send(&pgproto3.NoData{})
	} else {
		s.wire.Send(p.columns(p.binary))
	}
	return nil
}

// run executes p and sends its row.
func (s *session) run(p portal) *pgproto3.ErrorResponse {
	if p.verb == nothing {
		s.wire.Send(&pgproto3.EmptyQueryResponse{})
		return nil
	}
	if p.verb == sleep {
		if fault := s.sleep(p.pause); fault != nil {
			return fault
		}
	}
	s.wire.Send(&pgproto3.DataRow{Values: [][]byte{p.value(s.srv.max, p.binary)}})
	s.wire.Send(&pgproto3.CommandComplete{CommandTag: []byte(p.tag())})
	return nil
}

// sleep sleeps, and returns what cut it short. As in PostgreSQL, a client
// that goes away is not noticed before the end; one that wants to be, cancels.
func (s *session) sleep(d time.Duration) *pgproto3.ErrorResponse {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.canceled:
		return complain(codeQueryCanceled, "canceling statement due to user request")
	case <-s.srv.done:
		// Fatal in PostgreSQL. Here it is the closing of the connection that
		// ends the session; this only names the reason if it still gets out.
		return complain(codeShutdown, "terminating connection due to administrator command")
	}
}
