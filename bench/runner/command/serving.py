# SPDX-License-Identifier: MIT
"""The servers that are loaded from: nginx, and one that is far away. On loopback, on free ports,
for as long as a contest lasts."""

import grp
import os
import pwd
import socket
import subprocess
import time
from contextlib import contextmanager

NGINX = "/usr/sbin/nginx"
START_S = 10

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
{user}
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    open_file_cache max=5000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    root {folder}/www;
    server {{ listen 127.0.0.1:{http} backlog=1024; }}
    {tls}
}}
"""

TLS = """
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    server {{ listen 127.0.0.1:{https} ssl backlog=1024; }}
    server {{ listen 127.0.0.1:{https_2} ssl http2 backlog=1024; }}
"""


def free_ports(count):
    """They are free now; nobody else is expected to take them."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def certificate(stage):
    """(certificate, key) for 127.0.0.1, signed by itself; (None, None) without openssl."""
    paths = stage.folder / "certificate.pem", stage.folder / "key.pem"
    if paths[0].exists():
        return paths
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
               "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out", str(paths[0]),
               "-keyout", str(paths[1])]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return None, None
    return paths


def worker_user():
    """Started by root, nginx has its worker run as one who may do nothing."""
    if os.geteuid() != 0:
        return ""
    nobody = pwd.getpwnam("nobody")
    return f"user {nobody.pw_name} {grp.getgrgid(nobody.pw_gid).gr_name};"


def configuration(stage, ports):
    chain, key = certificate(stage)
    tls = TLS.format(certificate=chain, key=key, **ports) if chain else ""
    return CONFIGURATION.format(folder=stage.folder, user=worker_user(), tls=tls, **ports)


def wait_for(port, server):
    """Until it listens; an error if it does not."""
    end = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise OSError(f"{server.args[0]} does not serve")


@contextmanager
def running(command, **rest):
    server = subprocess.Popen(command, **rest)
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(START_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def nginx(stage):
    """Serves folder/www by http, https and https with HTTP/2."""
    ports = dict(zip(("http", "https", "https_2"), free_ports(3)))
    path = stage.folder / "nginx.conf"
    path.write_text(configuration(stage, ports), encoding="ascii")
    stage.addresses = {name: f"{name.removesuffix('_2')}://127.0.0.1:{port}"
                       for name, port in ports.items()}
    with running([NGINX, "-p", str(stage.folder), "-c", str(path)],
                 stderr=subprocess.DEVNULL) as server:
        wait_for(ports["http"], server)
        yield


@contextmanager
def latency_server(stage, milliseconds, size):
    command = [str(stage.bench / "command_latency_server"), str(milliseconds), str(size)]
    with running(command, stdout=subprocess.PIPE, text=True) as server:
        port = server.stdout.readline().strip()
        stage.addresses = {"far": f"http://127.0.0.1:{port}"}
        yield
        server.stdout.close()
