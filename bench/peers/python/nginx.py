# SPDX-License-Identifier: MIT
"""nginx with one worker and a fixed reply: nginx.py http

Prints its port and becomes nginx, in the foreground, until killed.
"""

import os
import socket
import sys
import tempfile

NGINX = "/usr/sbin/nginx"

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log /dev/null crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{ return 200 "hello"; }}
    }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def main(args):
    if args != ["http"]:
        sys.exit("usage: nginx.py http")
    folder = tempfile.mkdtemp(prefix="bench-nginx-")
    path = os.path.join(folder, "nginx.conf")
    port = free_port()
    with open(path, "w", encoding="ascii") as file:
        file.write(CONFIGURATION.format(folder=folder, port=port))
    print(port, flush=True)
    os.execv(NGINX, [NGINX, "-c", path])


if __name__ == "__main__":
    main(sys.argv[1:])
