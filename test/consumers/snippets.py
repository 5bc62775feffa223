"""Runs the Python examples under "Reading the files" in docs/formats.md on files that sfkit makes."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tables import ROOT

CAPTURE = ROOT / 'fixtures' / 'webserver.scap'
SLOW = ('Spark', 'ClickHouse')
# Bytes that all flows of the capture sent; a .sf file has only those over IPv4.
SENT = '22740'
SENT_IPV4 = '14868'


def snippets():
    """Title and code of each."""
    text = (ROOT / 'docs' / 'formats.md').read_text()
    section = re.search(r'^## Reading the files\n(.*?)(?=^## |\Z)', text, re.M | re.S)
    return re.findall(r'^\*\*(.+?)\*\*.*?^```python\n(.*?)^```', section[1], re.M | re.S)


def run_all(python, sfkit, titles=None):
    """What is wrong with each, None where nothing is."""
    faults = {}
    with tempfile.TemporaryDirectory(prefix='sfkit-snippets-') as directory:
        for flags in (
            ('-o', 'flows.parquet', '--table', 'network_flow'),
            ('-o', 'flows-us.parquet', '--table', 'network_flow', '--timestamps', 'us'),
            ('-o', 'flows.arrow', '--table', 'network_flow'),
            ('-o', 'capture.sf'),
        ):
            output = str(Path(directory, flags[1]))
            command = [*sfkit, 'convert', CAPTURE, '-o', output, *flags[2:]]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL, cwd=ROOT)
        for title, code in snippets():
            if titles is not None and title not in titles:
                continue
            done = subprocess.run([python, '-c', code], cwd=directory, capture_output=True, text=True)
            fault = (done.stderr.strip().splitlines() or ['it failed'])[-1] if done.returncode != 0 else None
            expected = SENT_IPV4 if title == 'fastavro' else SENT
            if fault is None and expected not in done.stdout:
                fault = f'expected {expected}, found {done.stdout.strip()}'
            faults[title] = fault
    return faults


if __name__ == '__main__':
    # The quick ones alone.
    quick = [title for title, _ in snippets() if title not in SLOW]
    found = run_all(sys.executable, ['node', str(ROOT / 'bin' / 'run.js')], quick)
    for title, fault in found.items():
        print(f'{title}: {fault or "ok"}')
    sys.exit(any(found.values()))
