"""What the columns of the tables are, and how their values are compared."""

import json
import re
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def kinds():
    """The kind of each column by its name, from the tables of docs/formats.md."""
    text = (ROOT / 'docs' / 'formats.md').read_text(encoding='utf-8')
    found = {}
    for name, kind in re.findall(r'^\| `(\w+)` \| ([a-z]+)[^|]*\|', text.split('\n## Tables\n')[1], re.M):
        found[name] = kind
    return found


KINDS = kinds()


def nanoseconds(text):
    """Nanoseconds since 1970 of '2026-03-02T10:00:00.000365000Z'."""
    second, fraction = text.removesuffix('Z').split('.')
    moment = datetime.strptime(second, '%Y-%m-%dT%H:%M:%S').replace(tzinfo=timezone.utc)
    return int(moment.timestamp()) * 1_000_000_000 + int(fraction.ljust(9, '0'))


def expected(path):
    """The columns of a JSONL file, times as nanoseconds; None for a table without rows, which names no columns."""
    with open(path, encoding='utf-8') as file:
        rows = [json.loads(line) for line in file]
    if not rows:
        return None
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for name, values in columns.items():
        if KINDS[name] == 'time':
            columns[name] = [None if value is None else nanoseconds(value) for value in values]
    return columns


def from_csv(name, cell):
    """The value of a CSV cell read as text, decoded as in docs/formats.md; None is a missing value."""
    if cell is None:
        return None
    kind = KINDS[name]
    if kind == 'integer':
        return int(cell)
    if kind == 'boolean':
        return {'true': True, 'false': False}[cell]
    if kind == 'time':
        return nanoseconds(cell)
    if kind == 'list':
        return cell.split('|') if cell else []
    cell = cell.removeprefix("'")
    return re.sub(
        r'\\(?:\\|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))',
        lambda match: chr(int(match[1] or match[2], 16)) if match[1] or match[2] else '\\',
        cell,
    )


TYPES = {'integer': int, 'boolean': bool, 'time': int, 'text': str, 'list': list}


def difference(wanted, found, unit=1):
    """The first difference between two tables of columns, or None. Times are compared in steps of `unit` ns."""
    if wanted is None:
        lengths = {len(values) for values in found.values()}
        return None if lengths <= {0} else 'rows in a table without rows'
    if list(wanted) != list(found):
        return f'columns {sorted(set(wanted) ^ set(found)) or list(found)}'
    for name, values in wanted.items():
        kind = KINDS[name]
        if len(values) != len(found[name]):
            return f'{name}: {len(values)} rows expected, {len(found[name])} found'
        for row, (value, other) in enumerate(zip(values, found[name])):
            if kind == 'time' and value is not None:
                value = value // unit * unit
            if other is not None and type(other) is not TYPES[kind]:
                return f'{name}, row {row}: {kind} expected, {type(other).__name__} {other!r} found'
            if value != other:
                return f'{name}, row {row}: {value!r} expected, {other!r} found'
    return None
