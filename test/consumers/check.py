"""Runs readers of other projects on what sfkit writes and compares every column of every table with JSONL.

Usage: npm run try:consumers -- [--sfkit COMMAND] [--python PATH | --venv DIRECTORY] [--only NAMES] [CAPTURE...]
See README.md.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from readers import CONSUMERS
from tables import ROOT

HERE = Path(__file__).resolve().parent
CORPUS = ROOT.parent / 'shared' / 'corpus'
CORPUS_CAPTURES = ('sf-collector/tcp-client-server', 'sf-collector/mpm-event.cold_start', 'modern/b_net', 'libs/curl_google')
# Where there is no corpus.
FIXTURES = ('webserver-2017.scap', 'webserver-2026.scap', 'live.scap')

HEADINGS = {
    'parquet': 'Parquet (ns)',
    'parquet-us': 'Parquet (us)',
    'arrow': 'Arrow file',
    'stream': 'Arrow stream',
    'csv': 'CSV',
    'avro': '.sf',
}


def main():
    options = arguments()
    names = options.only.split(',') if options.only else list(CONSUMERS)
    unknown = [name for name in names if name not in CONSUMERS]
    if unknown:
        sys.exit(f'--only: unknown consumer: expected {", ".join(CONSUMERS)}, found {unknown[0]}')
    captures = options.captures or default_captures()
    python = options.python or os.environ.get('SFKIT_CONSUMERS_PYTHON') or own_python(options.venv)
    with tempfile.TemporaryDirectory(prefix='sfkit-consumers-') as scratch:
        directories = []
        for number, capture in enumerate(captures):
            message(f'converting {capture}')
            directory = Path(scratch, f'{number}')
            convert(shlex.split(options.sfkit), capture, directory)
            directories.append(directory)
        results = {}
        for name in names:
            message(f'reading with {name}')
            results[name] = read(python, name, directories)
        faults = report(results, captures)
    if not options.only:
        message('running the examples of docs/formats.md')
        faults += not examples_run(python)
    sys.exit(1 if faults else 0)


def arguments():
    parser = argparse.ArgumentParser(prog='npm run try:consumers --', description=__doc__.splitlines()[0])
    parser.add_argument('captures', nargs='*', type=Path, metavar='CAPTURE', help='default: five of the corpus')
    parser.add_argument('--sfkit', default='node bin/run.js', help='the command to check (default: %(default)s)')
    parser.add_argument('--python', help='one that has the packages of requirements.txt (or SFKIT_CONSUMERS_PYTHON)')
    parser.add_argument('--venv', type=Path, default=HERE / '.venv', help='where else to install them (default: %(default)s)')
    parser.add_argument('--only', help=f'consumers, separated by commas: {", ".join(CONSUMERS)}')
    return parser.parse_args()


def default_captures():
    captures = [ROOT / 'fixtures' / 'webserver.scap']
    if CORPUS.exists():
        return captures + [CORPUS / f'{name}.scap' for name in CORPUS_CAPTURES]
    return captures + [ROOT / 'fixtures' / name for name in FIXTURES]


def own_python(directory):
    python = directory / 'bin' / 'python'
    if not python.exists():
        message(f'creating {directory}')
        venv.create(directory, with_pip=True)
    install = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    subprocess.run([*install, '-r', HERE / 'requirements.txt'], check=True, stdout=sys.stderr)
    return str(python)


def convert(sfkit, capture, directory):
    """TABLE.jsonl, TABLE.parquet, TABLE.us.parquet, TABLE.arrow, TABLE.arrows, TABLE.csv and capture.sf."""

    def run(*flags, stdout=None):
        command = [*sfkit, 'convert', capture, *flags]
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        # 3: damaged; what could be read is the same in all formats.
        if done.returncode not in (0, 3):
            sys.exit(f'{shlex.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}')

    directory.mkdir()
    for form in ('jsonl', 'parquet', 'arrow', 'csv'):
        run('-f', form, '-o', f'{directory}/{form}/')
        run('-o', directory / f'sysflow.{form}')
        for path in (directory / form).iterdir():
            path.rename(directory / path.name)
    run('-f', 'parquet', '--timestamps', 'us', '-o', f'{directory}/us/')
    run('--timestamps', 'us', '-o', directory / 'us' / 'sysflow.parquet')
    for path in (directory / 'us').glob('*.parquet'):
        path.rename(directory / f'{path.stem}.us.parquet')
    for path in sorted(directory.glob('*.jsonl')):
        with open(directory / f'{path.stem}.arrows', 'wb') as file:
            run('-f', 'arrow', '-o', '-', '--table', path.stem, stdout=file)
    run('-o', directory / 'capture.sf')


def read(python, name, directories):
    """What differs by capture and format."""
    command = [python, HERE / 'readers.py', name, *directories]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ['no message'])[-1]
        return {
            directory.name: {form: [f'cannot run: {last}'] for form in CONSUMERS[name].formats} for directory in directories
        }
    return json.loads(done.stdout)


def examples_run(python):
    """Whether the examples run. By default their test skips those that start slowly."""
    command = ['npx', 'vitest', 'run', 'test/consumers/snippets.test.ts']
    environment = {**os.environ, 'SFKIT_CONSUMERS_PYTHON': str(python), 'SFKIT_CONSUMERS_ALL': '1'}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode == 0


def report(results, captures):
    """Prints the table and what differs; returns the number of differences."""
    print(f'\n| consumer | {" | ".join(HEADINGS.values())} |')
    print(f'| --- |{" --- |" * len(HEADINGS)}')
    faults = []
    for name, by_capture in results.items():
        consumer = CONSUMERS[name]
        row = []
        for form in HEADINGS:
            if form not in consumer.formats:
                row.append('')
                continue
            found = [(captures[int(at)], fault) for at, formats in by_capture.items() for fault in formats[form]]
            faults += [f'{name}, {form}, {capture.name}: {fault}' for capture, fault in found]
            if found:
                row.append('cannot read' if all('cannot r' in fault for _, fault in found) else 'difference')
            else:
                row.append('ok [1]' if form == 'csv' and getattr(consumer, 'loses_empty_text', False) else 'ok')
        print(f'| {name} | {" | ".join(row)} |')
    print('\n[1] The CSV reader takes a quoted empty text for a missing value; all else is equal.')
    for fault in faults:
        print(fault)
    return len(faults)


def message(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == '__main__':
    main()
