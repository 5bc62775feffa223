// Recognizes tags for MITRE ATT&CK techniques and tactics in the styles of all rule languages:
// T1059, attack.t1059.004, mitre:T1059, mitre_credential_access, attack.credential-access.

export interface AttackTaxon {
  /** T1059.004, TA0006 */
  id: string;
  name?: string;
  uri: string;
}

const tactics: Readonly<Record<string, readonly [id: string, name: string]>> = {
  reconnaissance: ['TA0043', 'Reconnaissance'],
  resource_development: ['TA0042', 'Resource Development'],
  initial_access: ['TA0001', 'Initial Access'],
  execution: ['TA0002', 'Execution'],
  persistence: ['TA0003', 'Persistence'],
  privilege_escalation: ['TA0004', 'Privilege Escalation'],
  defense_evasion: ['TA0005', 'Defense Evasion'],
  credential_access: ['TA0006', 'Credential Access'],
  discovery: ['TA0007', 'Discovery'],
  lateral_movement: ['TA0008', 'Lateral Movement'],
  collection: ['TA0009', 'Collection'],
  command_and_control: ['TA0011', 'Command and Control'],
  exfiltration: ['TA0010', 'Exfiltration'],
  impact: ['TA0040', 'Impact'],
};

const technique = /^(?:(?:attack|mitre)[._:-])?(t\d{4})(?:\.(\d{3}))?$/i;
const tactic = /^(?:attack|mitre)[._:-](.+)$/i;
const tacticId = /^(?:(?:attack|mitre)[._:-])?(ta\d{4})$/i;

/** The technique or tactic of a tag; undefined for other tags. */
export function attackTaxon(tag: string): AttackTaxon | undefined {
  const [, base, sub] = technique.exec(tag) ?? [];
  if (base !== undefined) {
    const id = base.toUpperCase();
    const uri = `https://attack.mitre.org/techniques/${id}/`;
    return sub === undefined ? { id, uri } : { id: `${id}.${sub}`, uri: `${uri}${sub}/` };
  }
  const [, number] = tacticId.exec(tag) ?? [];
  const word = tactic.exec(tag)?.[1]?.toLowerCase().replaceAll('-', '_') ?? '';
  const found = Object.values(tactics).find(([id]) => id === number?.toUpperCase());
  const [id, name] =
    found ?? (Object.hasOwn(tactics, word) ? (tactics[word] as readonly [string, string]) : []);
  if (id === undefined) return undefined;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    uri: `https://attack.mitre.org/tactics/${id}/`,
  };
}
