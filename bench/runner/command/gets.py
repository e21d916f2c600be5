# SPDX-License-Identifier: MIT
"""`sillon get` and what else loads files: the peers, the contests and the bars.

All load into an empty folder in memory. Ours writes a log, and gives a file its name when it is
whole. A run counts only if afterwards each file is there with all its bytes, and no other.
"""

from runner.command import files, serving
from runner.command.contest import OURS, Job, absolute, against, contest, installed, ours
from runner.command.maps import check_log
from runner.terms import Peer

GET, GET_TLS = f"{OURS}_get", f"{OURS}_get_tls"
CURL, CURL_SUMS = "command_curl", "command_curl_sums"
ARIA2, ARIA2_SUMS = "command_aria2", "command_aria2_sums"
REQUESTS = "command_requests"
PYTHON = "/usr/bin/python3"
SILLON_GET = "{build}/installed/libexec/sillon/sillon-get"
NGINX, OPENSSL = "/usr/sbin/nginx", "/usr/bin/openssl"

PEERS = {
    GET: ours("sillon", SILLON_GET, NGINX),
    GET_TLS: ours("sillon", SILLON_GET, NGINX, OPENSSL),
    CURL: installed("curl -Z", "curl", "curl"),
    CURL_SUMS: installed("curl, then sha256sum", "curl", "curl"),
    ARIA2: installed("aria2c", "aria2c", "aria2"),
    ARIA2_SUMS: installed("aria2c --checksum", "aria2c", "aria2"),
    REQUESTS: Peer("requests, 50 threads", (PYTHON,), ("python3-requests",),
                   needs=("/usr/lib/python3/dist-packages/requests",)),
}

CONNECTIONS = 50
LATENCY_MS = 50
SIZE_SMALL = 10240


def sillon(load, *options):
    def job(stage):
        log = stage.fresh("log.jsonl")
        argv = (stage.sillon, "get", "-q", f"-j{CONNECTIONS}", "--per-host", CONNECTIONS, "--log",
                log, *options, *load.ours(stage), "-d", stage.empty("out"), *load.asked(stage))
        return Job(argv, check=lambda: check_log(log, load.count(stage), "file")
                   or load.check(stage))
    return job


def curl(load, *options):
    """-Z writes its meter in spite of -s (7.88): not to a terminal, as with all others."""
    def job(stage):
        return Job(("curl", "-sS", "-Z", "--parallel-max", CONNECTIONS, *options,
                    *load.curls(stage), "--remote-name-all", "--output-dir", stage.empty("out"),
                    "-K", load.curl_urls(stage)), check=lambda: load.check(stage))
    return job


def aria2(load, *options):
    def job(stage):
        return Job(("aria2c", "-q", f"-j{CONNECTIONS}", "--file-allocation=none", *options,
                    *load.aria2s(stage), "-d", stage.empty("out"), *load.asked(stage)),
                   check=lambda: load.check(stage))
    return job


def requests(load):
    def job(stage):
        return Job((PYTHON, stage.source / "peers/python/requests_get.py", CONNECTIONS,
                    load.urls(stage), stage.empty("out")), check=lambda: load.check(stage))
    return job


def curl_then_sums(load):
    """What people type: load it, then check it. sh, so that both are measured."""
    line = 'curl -sS -O --output-dir "$1" "$2" && sha256sum -c --status "$3"'

    def job(stage):
        out, sums = stage.empty("out"), stage.fresh("SHA256SUMS")
        sums.write_text(f"{load.sha256(stage)}  {out}/{load.names(stage)[0]}\n", encoding="ascii")
        return Job(("sh", "-c", line, "sh", out, *load.asked(stage), sums),
                   check=lambda: load.check(stage))
    return job


class Load:
    """Some files at a server: where they are, and how each program is told of them."""

    def __init__(self, what, address, trusted=False):
        self.what = what  # a set of files.SETS
        self.address = address  # of the addresses that serving.py gives the stage
        self.trusted = trusted  # the server's certificate is ours

    def folder(self, stage):
        return files.made(stage, self.what)

    def names(self, stage):
        return files.names(stage, self.what)

    def count(self, stage):
        return len(self.names(stage))

    def urls(self, stage, form="{}\n", ending=""):
        self.folder(stage)
        base = f"{stage.addresses[self.address]}/{self.what}"
        path = stage.folder / f"{self.address}_{self.what}{ending}.urls"
        text = "".join(form.format(f"{base}/{name}") for name in self.names(stage))
        path.write_text(text, encoding="ascii")
        return path

    def asked(self, stage):
        return ("-i", self.urls(stage))

    def curl_urls(self, stage):
        return self.urls(stage, "url = {}\n", "_curl")

    def check(self, stage):
        return files.differences(stage.folder / "out", self.folder(stage), self.names(stage))

    def trust(self, stage, option):
        return (option, serving.certificate(stage)[0]) if self.trusted else ()

    def ours(self, stage):
        return self.trust(stage, "--cacert")

    curls = ours

    def aria2s(self, stage):
        return (f"--ca-certificate={serving.certificate(stage)[0]}",) if self.trusted else ()


class Checked(Load):
    """One file with a checksum, which is given to those that can take one."""

    def asked(self, stage):
        return (self.urls(stage).read_text(encoding="ascii").strip(),)

    def sha256(self, stage):
        return files.sha256(self.folder(stage) / self.names(stage)[0])

    def ours(self, stage):
        return ("--checksum", f"sha256:{self.sha256(stage)}")

    def aria2s(self, stage):
        return (f"--checksum=sha-256={self.sha256(stage)}",)


SMALL, MEDIUM = Load("small", "http"), Load("medium", "http")
LARGE = Checked("large", "http")
FAR = Load("far", "far")
TLS, TLS_2 = Load("small", "https", True), Load("small", "https_2", True)


def files_of(load):
    return load.count


def ideal(stage):
    """All connections are busy with waiting, all the time."""
    return FAR.count(stage) / CONNECTIONS * LATENCY_MS / 1000


def far_away(stage):
    return serving.latency_server(stage, LATENCY_MS, SIZE_SMALL)


def mebibytes(stage):
    return stage.sizes.large_mib


MORE = ("cpu_ms", "rss_mb", "cpu_ratio")


def loads(key, title, load, peers, jobs, **rest):
    """The first of the jobs is ours."""
    rest = {"amount": files_of(load), "before": serving.nginx, "more": MORE, **rest}
    return contest(f"get_{key}", f"get, {title}", "per_s", "files/s", tuple(jobs)[:1], peers,
                   jobs=jobs, lower_is_better=False, **rest)


CONTESTS = (
    loads("small", "2,000 files of 10 KB from nginx, 50 connections", SMALL,
          (CURL, ARIA2, REQUESTS),
          {GET: sillon(SMALL), CURL: curl(SMALL), ARIA2: aria2(SMALL), REQUESTS: requests(SMALL)}),
    loads("medium", "200 files of 1 MB from nginx, 50 connections", MEDIUM, (CURL, ARIA2),
          {GET: sillon(MEDIUM), CURL: curl(MEDIUM), ARIA2: aria2(MEDIUM)}),
    loads("tls", "2,000 files of 10 KB, https, HTTP/1.1", TLS, (CURL, ARIA2),
          {GET_TLS: sillon(TLS, "--http=1.1"), CURL: curl(TLS, "--http1.1"), ARIA2: aria2(TLS)}),
    loads("tls_2", "the same, HTTP/2", TLS_2, (CURL,),
          {GET_TLS: sillon(TLS_2, "--http=2"), CURL: curl(TLS_2, "--http2")}),
    contest("get_far", "get, 2,000 files of 10 KB, each after 50 ms, 50 connections",
            "of_ideal", "% of the ideal", (GET,), (CURL, ARIA2),
            jobs={GET: sillon(FAR), CURL: curl(FAR), ARIA2: aria2(FAR)}, amount=files_of(FAR),
            ideal_s=ideal, before=far_away, lower_is_better=False, more=MORE),
    contest("get_large", "get, a large file with its SHA-256", "per_s", "MiB/s", (GET,),
            (ARIA2_SUMS, CURL_SUMS),
            jobs={GET: sillon(LARGE), ARIA2_SUMS: aria2(LARGE), CURL_SUMS: curl_then_sums(LARGE)},
            amount=mebibytes, before=serving.nginx, lower_is_better=False, more=MORE),
)

BARS = (
    *against("2,000 x 10 KB, against curl -Z", "get_small", ">=", 1.1, "curl -Z", 1.5),
    *against("2,000 x 10 KB, against aria2c", "get_small", ">=", 2.8, "aria2c"),
    *against("2,000 x 10 KB, against requests", "get_small", ">=", 15, "requests, 50 threads"),
    *absolute("50 ms away, % of the ideal", "get_far", ">=", 95, moonshot=97),
    *absolute("50 ms away, processor time, against curl -Z", "get_far", "<=", 1.0, "cpu_ratio",
              row="curl -Z"),
    *against("a large file with SHA-256, against aria2c", "get_large", ">=", 2,
             "aria2c --checksum"),
    *against("a large file with SHA-256, against curl, then sha256sum", "get_large", ">=", 3,
             "curl, then sha256sum", 3.5),
    *against("200 x 1 MB, against curl -Z", "get_medium", ">=", None, "curl -Z", 1.3),
    *against("https, HTTP/1.1, against curl -Z", "get_tls", ">=", None, "curl -Z", 1.1),
    *against("https, HTTP/2, against curl -Z", "get_tls_2", ">=", None, "curl -Z", 1.1),
)
