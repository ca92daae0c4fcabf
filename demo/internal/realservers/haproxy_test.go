package realservers

import "testing"

const haproxyConfig = `
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  timeout queue 100ms
  retries 0
frontend in
  bind $addr
  default_backend origin
backend origin
  option http-server-close
  server one $origin maxconn 8
`

// haproxy starts one whose server takes 8 calls at once; others wait in its queue for
// a tenth of a second.
func haproxy(t *testing.T, o *origin) string {
	addr := free(t)
	start(t, program(t, "haproxy", "haproxy"), haproxyConfig, addr, o.addr, func(config string) []string { return []string{"-db", "-f", config} })
	return "http://" + addr + "/"
}
