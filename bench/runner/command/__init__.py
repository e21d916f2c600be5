# SPDX-License-Identifier: MIT
"""The command beside its peers: `sillon map` and `sillon get`, as whole programs.

contest.py has the words, maps.py and gets.py say what is measured and what we want to reach,
files.py and serving.py make what is loaded and who serves it, stage.py runs it all.
"""
