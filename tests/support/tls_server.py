#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A trickle channel of one segment behind TLS. Arguments: certificate, key, file for the port."""
import http.server
import os
import ssl
import sys


class Channel(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        first = self.path.endswith("/-2")
        body = b"secret" if first else b""
        self.send_response(200)
        self.send_header("Lp-Trickle-Seq", "0" if first else "1")
        if not first:
            self.send_header("Lp-Trickle-Closed", "terminated")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


certificate, key, port_file = sys.argv[1:]
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Channel)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + ".part", "w", encoding="ascii") as file:
    file.write(str(server.server_address[1]))
os.rename(port_file + ".part", port_file)
server.serve_forever()
