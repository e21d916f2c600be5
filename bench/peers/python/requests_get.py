# SPDX-License-Identifier: MIT
"""Files by requests and a pool of threads, as one would write it: requests_get.py N LIST FOLDER

LIST has a URL a line; N are loaded at a time.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import requests


def load(url, folder):
    answer = requests.get(url, timeout=60)
    answer.raise_for_status()
    with open(os.path.join(folder, url.rpartition("/")[2]), "wb") as file:
        file.write(answer.content)


def main(threads, urls, folder):
    with open(urls, encoding="ascii") as lines, ThreadPoolExecutor(int(threads)) as pool:
        for done in [pool.submit(load, line.strip(), folder) for line in lines]:
            done.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
