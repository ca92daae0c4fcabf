package realservers

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const nginxConfig = `
daemon off; master_process off; pid $dir/pid; error_log stderr crit;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path $dir/b; proxy_temp_path $dir/p; fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u; scgi_temp_path $dir/s;
  limit_conn_zone $server_name zone=all:1m;
  limit_req_zone $server_name zone=rate:1m rate=200r/s;
  limit_conn_log_level info; limit_req_log_level info; limit_req_status 429;
  upstream backend { server $origin; keepalive 64; }
  upstream few { zone few 64k; server $origin max_conns=8 max_fails=0; }
  server {
    listen $addr; server_name x; keepalive_requests 1000000;
    location / { proxy_next_upstream off; proxy_http_version 1.1; proxy_set_header Connection ""; LIMIT }
  }
}`

func nginxArgs(config string) []string {
	return []string{"-c", config, "-p", filepath.Dir(config), "-e", "stderr"}
}

// nginx returns what starts one with a limit.
func nginx(limit string) func(*testing.T, *origin) string {
	return func(t *testing.T, o *origin) string {
		if !strings.Contains(limit, "proxy_pass") {
			limit += " proxy_pass http://backend;"
		}
		addr := free(t)
		start(t, program(t, "nginx", "nginx-light"), strings.Replace(nginxConfig, "LIMIT", limit, 1), addr, o.addr, nginxArgs)
		return "http://" + addr + "/"
	}
}

// nginxStreams starts one that speaks HTTP/2, with few streams.
func nginxStreams(t *testing.T, o *origin) string {
	cert, key := certificate(t)
	config := strings.Replace(nginxConfig, "listen $addr;",
		"listen $addr ssl http2; http2_max_concurrent_streams 10; ssl_certificate "+cert+"; ssl_certificate_key "+key+";", 1)
	addr := free(t)
	start(t, program(t, "nginx", "nginx-light"), strings.Replace(config, "LIMIT", "proxy_pass http://backend;", 1), addr, o.addr, nginxArgs)
	return "https://" + addr + "/"
}

// certificate writes that of net/http/httptest, which is for loopback.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	pair := s.TLS.Certificates[0]
	return write(t, "cert", "CERTIFICATE", pair.Certificate[0]), write(t, "key", "PRIVATE KEY", private(t, pair))
}

func private(t *testing.T, pair tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
