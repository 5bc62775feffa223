import { readFileSync } from 'node:fs'; import { gunzipSync } from 'node:zlib';
import { sysflow } from './dist/check/sysflow/sysflow.js';
import { CheckTables } from './dist/check/sql/tables.js';
const T='/work/shared/corpus/rules/';
const text=(p)=>({name:p, content: readFileSync(T+'sysflow/'+p,'utf8')});
const set = sysflow.load([text('probes/probes.yaml')]);
console.log(set.diagnostics.length, set.diagnostics.filter(d=>d.severity==='error'), set.rules.length);
const truth = gunzipSync(readFileSync(T+'truth/sysflow/probes.jsonl.gz')).toString().trim().split('\n').map(JSON.parse).filter(r=>r.policy==='probes');
let diffs=0;
for (const {file, rules} of truth) {
  const path = file.startsWith('traces/') ? T+'sysflow/'+file : '/work/shared/corpus/'+file;
  const tables = new CheckTables(path);
  const t=Date.now();
  const run = set.run(path, {rules: set.rules.filter(r=>r.enabled), allMatching:true, folds:true, tables});
  let n=0; for await (const f of run) n++;
  tables.close();
  const bad=[];
  for (const o of run.outcomes()) { const want = rules[o.rule.name]?.n ?? 0; if (want !== o.matches || (o.reason && !/container/.test(o.reason))) bad.push([o.rule.name, want, o.matches, o.reason?.slice(0,100)]); }
  console.log(file, Date.now()-t, 'ms', n, JSON.stringify(bad)); 
}
