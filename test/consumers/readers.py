"""Reads the tables of one directory with one consumer and prints what differs from JSONL, as one JSON object.

Usage: python readers.py CONSUMER DIRECTORY; check.py starts it, each consumer in a separate process, because some of
them cannot be loaded together. Each `read` gives the columns of a file, times as nanoseconds, missing values as None.
"""

import json
import subprocess
import sys
from pathlib import Path

from tables import KINDS, ROOT, difference, expected, from_csv

HEADER_BYTES = 8  # of an Arrow file, in front of the stream that it holds

# Format: the ending of its files.
FILES = {
    'parquet': '.parquet',
    'parquet-us': '.us.parquet',
    'arrow': '.arrow',
    'stream': '.arrows',
    'csv': '.csv',
    'avro': '.sf',
}


def names_of(path):
    """The header line of a CSV file; names of columns hold no comma."""
    with open(path, encoding='utf-8') as file:
        return file.readline().rstrip('\n').split(',')


def cells(columns):
    return {name: [from_csv(name, cell) for cell in values] for name, values in columns.items()}


def known(text):
    """What the tables have for a text of a .sf file that says that nothing is known."""
    return None if text in ('<NA>', 'incomplete') else text


class PyArrow:
    formats = ('parquet', 'parquet-us', 'arrow', 'stream', 'csv')

    def __init__(self):
        import pyarrow
        import pyarrow.csv
        import pyarrow.feather
        import pyarrow.ipc
        import pyarrow.parquet

        self.pyarrow = pyarrow

    def read(self, form, path):
        pyarrow = self.pyarrow
        if form in ('parquet', 'parquet-us'):
            table = pyarrow.parquet.read_table(path)
        elif form == 'arrow':
            table = pyarrow.ipc.open_file(path).read_all()
        elif form == 'stream':
            table = pyarrow.ipc.open_stream(path).read_all()
        else:
            table = pyarrow.csv.read_csv(
                path,
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types={name: pyarrow.string() for name in names_of(path)},
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                    null_values=[''],
                ),
            )
            return cells(table.to_pydict())
        table.validate(full=True)
        return self.columns(table)

    def columns(self, table):
        pyarrow = self.pyarrow
        columns = {}
        for name in table.column_names:
            column = table[name]
            if pyarrow.types.is_timestamp(column.type):
                column = column.cast(pyarrow.timestamp('ns', column.type.tz)).cast(pyarrow.int64())
            columns[name] = column.to_pylist()
        return columns


class Pandas:
    loses_empty_text = True
    formats = ('parquet', 'parquet-us', 'arrow', 'stream', 'csv')

    backend = 'pyarrow'

    def __init__(self):
        import pandas

        self.pandas = pandas

    def read(self, form, path):
        pandas = self.pandas
        if form in ('parquet', 'parquet-us'):
            frame = pandas.read_parquet(path, dtype_backend=self.backend)
        elif form == 'arrow':
            frame = pandas.read_feather(path, dtype_backend=self.backend)
        elif form == 'stream':
            import pyarrow.ipc

            # What read_parquet and read_feather do for each backend.
            from pandas.io._util import arrow_table_to_pandas

            frame = arrow_table_to_pandas(pyarrow.ipc.open_stream(path).read_all(), dtype_backend=self.backend)
        else:
            frame = pandas.read_csv(path, dtype='string', keep_default_na=False, na_values=[''])
            columns = {name: [None if pandas.isna(cell) else cell for cell in frame[name]] for name in frame}
            return cells(columns)
        return {name: [self.value(name, value) for value in frame[name]] for name in frame}

    def value(self, name, value):
        if KINDS[name] == 'list':
            return None if value is None else list(value)
        if self.pandas.isna(value):
            return None
        if KINDS[name] == 'time':
            return value.as_unit('ns').value
        return value.item() if hasattr(value, 'item') else value


class PandasNullable(Pandas):
    backend = 'numpy_nullable'


class Polars:
    formats = ('parquet', 'parquet-us', 'arrow', 'stream', 'csv')

    def __init__(self):
        import polars

        self.polars = polars

    def read(self, form, path):
        polars = self.polars
        if form == 'csv':
            return cells(polars.read_csv(path, infer_schema=False).to_dict(as_series=False))
        read = {'arrow': polars.read_ipc, 'stream': polars.read_ipc_stream}.get(form, polars.read_parquet)
        frame = read(path)
        times = [name for name in frame.columns if KINDS[name] == 'time']
        return frame.with_columns(polars.col(times).dt.timestamp('ns')).to_dict(as_series=False)


class DuckDb:
    formats = ('parquet', 'parquet-us', 'arrow', 'stream', 'csv')

    def __init__(self):
        import duckdb

        self.connection = duckdb.connect()
        self.connection.sql("SET TimeZone = 'UTC'")

    def read(self, form, path):
        source = f"'{path}'"
        if form == 'csv':
            source = f"read_csv('{path}', header = true, delim = ',', quote = '\"', escape = '\"', all_varchar = true, allow_quoted_nulls = false)"
        elif form in ('arrow', 'stream'):
            import pyarrow.ipc

            opened = pyarrow.ipc.open_file(path) if form == 'arrow' else pyarrow.ipc.open_stream(path)
            self.connection.register('arrow_table', opened.read_all())
            source = 'arrow_table'
        names = self.connection.sql(f'FROM {source}').columns
        picked = [f'epoch_ns({name})' if KINDS[name] == 'time' and form != 'csv' else name for name in names]
        rows = self.connection.sql(f'SELECT {", ".join(picked)} FROM {source}').fetchall()
        columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
        return cells(columns) if form == 'csv' else columns


class Chdb:
    formats = ('parquet', 'parquet-us', 'arrow', 'stream', 'csv')
    clickhouse = {'parquet': 'Parquet', 'parquet-us': 'Parquet', 'arrow': 'Arrow', 'stream': 'ArrowStream'}

    def __init__(self):
        import chdb

        self.query = chdb.query

    def read(self, form, path):
        if form == 'csv':
            names = names_of(path)
            source = f"file('{path}', 'CSVWithNames', '{', '.join(f'{name} Nullable(String)' for name in names)}')"
            picked = names
        else:
            source = f"file('{path}', '{self.clickhouse[form]}')"
            described = self.rows(f'DESCRIBE {source}')
            names = [row[0] for row in described]
            picked = [f'toUnixTimestamp64Nano(toDateTime64({name}, 9))' if KINDS[name] == 'time' else name for name in names]
        settings = "format_csv_null_representation = '', output_format_json_quote_64bit_integers = 0"
        rows = self.rows(f'SELECT {", ".join(picked)} FROM {source} SETTINGS {settings}')
        columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
        return cells(columns) if form == 'csv' else columns

    def rows(self, sql):
        return [json.loads(line) for line in str(self.query(sql, 'JSONCompactEachRow')).splitlines() if line]


class Spark:
    loses_empty_text = True
    formats = ('parquet-us', 'csv')

    def __init__(self):
        from pyspark.sql import SparkSession, functions

        self.functions = functions
        self.session = (
            SparkSession.builder.master('local[1]')
            .config('spark.ui.enabled', 'false')
            .config('spark.driver.host', '127.0.0.1')
            .config('spark.sql.session.timeZone', 'UTC')
            .getOrCreate()
        )
        self.session.sparkContext.setLogLevel('OFF')

    def read(self, form, path):
        if form == 'csv':
            frame = self.session.read.csv(str(path), header=True, multiLine=True, escape='"', emptyValue='')
        else:
            frame = self.session.read.parquet(str(path))
            for name in frame.columns:
                if KINDS[name] == 'time':
                    frame = frame.withColumn(name, self.functions.expr(f'unix_micros({name}) * 1000'))
        names = frame.columns
        rows = frame.collect()
        columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
        return cells(columns) if form == 'csv' else columns


class NanoArrow:
    formats = ('arrow', 'stream')

    def __init__(self):
        import nanoarrow

        self.nanoarrow = nanoarrow

    def read(self, form, path):
        with open(path, 'rb') as file:
            file.seek(HEADER_BYTES if form == 'arrow' else 0)
            with self.nanoarrow.ArrayStream.from_readable(file) as stream:
                table = stream.read_all()
        columns = {}
        for at, field in enumerate(table.schema.fields):
            column = table.child(at)
            values = column.to_pylist()
            if KINDS[field.name] == 'time':
                values = [
                    None if value is None else number for value, number in zip(values, self.numbers(column))
                ]
            columns[field.name] = values
        return columns

    def numbers(self, column):
        """The numbers of a column of times; the library's own conversion stops at microseconds."""
        for view in column.iter_chunk_views():
            yield from list(view.buffer(1))[view.offset : view.offset + len(view)]


class Script:
    """A reader of ours in JavaScript, which prints the columns as JSON."""

    def read(self, form, path):
        script = Path(__file__).with_name('read-columns.mjs')
        done = subprocess.run(['node', script, self.name, path], capture_output=True, text=True, cwd=ROOT)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no output')
        return json.loads(done.stdout)


class HyParquet(Script):
    name = 'hyparquet'
    formats = ('parquet', 'parquet-us')


class ApacheArrow(Script):
    name = 'apache-arrow'
    formats = ('arrow', 'stream')


class FastAvro:
    """The .sf file has records, not tables: their number for each type, and the numbers and names of each."""

    formats = ('avro',)
    oid = {'proc_pid': lambda r: r['procOID']['hpid'], 'proc_createts': lambda r: r['procOID']['createTS']}
    event = {**oid, 'opflags_bitmap': lambda r: r['opFlags'], 'ts_uts': lambda r: r['ts']}
    thread = {**event, 'proc_tid': lambda r: r['tid']}
    flow = {
        'endts_uts': lambda r: r['endTs'],
        'file_fd': lambda r: r['fd'],
        'flow_rbytes': lambda r: r['numRRecvBytes'],
        'flow_rops': lambda r: r['numRRecvOps'],
        'flow_wbytes': lambda r: r['numWSendBytes'],
        'flow_wops': lambda r: r['numWSendOps'],
    }
    tables = {
        'header': ('SFHeader', {'filename': lambda r: r['filename'], 'node_id': lambda r: r['exporter']}),
        'process': (
            'Process',
            {
                'state': lambda r: r['state'],
                'ts_uts': lambda r: r['ts'],
                'proc_pid': lambda r: r['oid']['hpid'],
                'proc_createts': lambda r: r['oid']['createTS'],
                'proc_uid': lambda r: r['uid'],
                'proc_exe': lambda r: r['exe'],
                'proc_args': lambda r: r['exeArgs'],
                'proc_tty': lambda r: r['tty'],
                'container_id': lambda r: r['containerId'],
            },
        ),
        'file': (
            'File',
            {
                'state': lambda r: r['state'],
                'ts_uts': lambda r: r['ts'],
                'file_oid': lambda r: r['oid'].hex(),
                'file_path': lambda r: r['path'],
                'container_id': lambda r: r['containerId'],
            },
        ),
        'container': ('Container', {'container_id': lambda r: r['id'], 'container_name': lambda r: known(r['name'])}),
        'process_event': ('ProcessEvent', {**thread, 'ret': lambda r: r['ret']}),
        'file_event': ('FileEvent', {**thread, 'ret': lambda r: r['ret'], 'file_oid': lambda r: r['fileOID'].hex()}),
        'file_flow': (
            'FileFlow',
            {
                **thread,
                **flow,
                'file_oid': lambda r: r['fileOID'].hex(),
                'file_openflags': lambda r: r['openFlags'],
            },
        ),
        'network_flow': (
            'NetworkFlow',
            {
                **thread,
                **flow,
                'net_sip': lambda r: FastAvro.address(r['sip']),
                'net_dip': lambda r: FastAvro.address(r['dip']),
                'net_sport': lambda r: r['sport'],
                'net_dport': lambda r: r['dport'],
                'net_proto': lambda r: r['proto'],
            },
        ),
        'process_flow': (
            'ProcessFlow',
            {
                **event,
                'endts_uts': lambda r: r['endTs'],
                'pf_nthreads': lambda r: r['numThreadsCloned'],
                'pf_nexits': lambda r: r['numThreadsExited'],
                'pf_nerrors': lambda r: r['numCloneErrors'],
            },
        ),
    }

    @staticmethod
    def address(number):
        return '.'.join(str(byte) for byte in (number & 0xFFFFFFFF).to_bytes(4, 'little'))

    def check(self, directory):
        from fastavro import reader

        with open(directory / 'capture.sf', 'rb') as file:
            records = [record['rec'] for record in reader(file, return_record_name=True)]
        for table, (record, fields) in self.tables.items():
            wanted = expected(directory / f'{table}.jsonl') or {name: [] for name in fields}
            if table == 'network_flow' and 'net_sip' in wanted:
                # Version 5 of the schema has no room for IPv6.
                kept = [at for at, address in enumerate(wanted['net_sip']) if ':' not in address]
                wanted = {name: [values[at] for at in kept] for name, values in wanted.items()}
            rows = [value for name, value in records if name.endswith(f'.{record}')]
            found = {name: [get(row) for row in rows] for name, get in fields.items()}
            problem = difference({name: wanted[name] for name in fields}, found)
            if problem:
                return f'{table}: {problem}'
        return None


CONSUMERS = {
    'pyarrow': PyArrow,
    'pandas': Pandas,
    'pandas-nullable': PandasNullable,
    'polars': Polars,
    'duckdb': DuckDb,
    'chdb': Chdb,
    'pyspark': Spark,
    'nanoarrow': NanoArrow,
    'fastavro': FastAvro,
    'hyparquet': HyParquet,
    'apache-arrow': ApacheArrow,
}


def main():
    _, name, *directories = sys.argv
    consumer = CONSUMERS[name]()
    found = {}
    for directory in map(Path, directories):
        cells_of = found[directory.name] = {}
        for form in consumer.formats:
            if form == 'avro':
                problem = attempt(lambda: consumer.check(directory))
                cells_of[form] = [problem] if problem else []
                continue
            problems = {
                table: attempt(lambda: compare(consumer, form, directory, table))
                for table in sorted(path.stem for path in directory.glob('*.jsonl'))
            }
            cells_of[form] = [f'{table}: {fault}' for table, fault in problems.items() if fault]
    print(json.dumps(found))


def compare(consumer, form, directory, table):
    wanted = expected(directory / f'{table}.jsonl')
    if wanted and form == 'csv' and getattr(consumer, 'loses_empty_text', False):
        wanted = {name: [None if value == '' else value for value in values] for name, values in wanted.items()}
    found = consumer.read(form, directory / f'{table}{FILES[form]}')
    return difference(wanted, found, 1000 if form == 'parquet-us' else 1)


def attempt(work):
    try:
        return work()
    except Exception as error:  # of whatever kind the consumer throws
        text = ' '.join(str(error).split())
        return f'cannot read: {type(error).__name__}: {text[:200]}'


if __name__ == '__main__':
    main()
