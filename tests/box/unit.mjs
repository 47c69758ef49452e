// What packaging/rushes.service says, for those who apply it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { repository } from '../e2e/harness.mjs';

export const unitFile = path.join(repository, 'packaging/rushes.service');

/** What is of no consequence to a box, or what nothing but systemd and its control groups can do. */
const notApplied = new Set([
  'Type', 'User', 'Group', 'StateDirectory', 'StateDirectoryMode', 'ExecStart', 'Restart', 'RestartSec', 'TimeoutStopSec',
  'TasksMax', 'MemoryMax', 'OOMPolicy', 'KeyringMode', 'RemoveIPC', 'DevicePolicy', 'IPAddressDeny', 'Delegate',
  'SystemCallArchitectures', 'SystemCallErrorNumber',
]);

/** The lines of [Service] as [directive, value]. */
export function serviceSettings(text = fs.readFileSync(unitFile, 'utf8')) {
  const service = text.slice(text.indexOf('[Service]'), text.indexOf('[Install]'));
  return [...service.matchAll(/^([A-Z]\w*)=(.*)$/gm)].map(([, directive, value]) => [directive, value.trim()]);
}

/** The system calls of an @group, in groups of groups as well. */
function callsOf(group) {
  const text = execFileSync('systemd-analyze', ['syscall-filter', '--no-pager', group], { encoding: 'utf8' });
  const words = text.split('\n').slice(1).map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
  return words.flatMap((word) => (word.startsWith('@') ? callsOf(word) : [word]));
}

/** The lines of SystemCallFilter=, in their order, as the names that are allowed in the end. */
function allowedCalls(lines) {
  const allowed = new Set(callsOf('@default'));
  for (const line of lines) {
    const refused = line.startsWith('~');
    const names = line.replace(/^~/, '').split(/\s+/).flatMap((word) => (word.startsWith('@') ? callsOf(word) : [word]));
    for (const name of names) {
      if (refused) allowed.delete(name);
      else allowed.add(name);
    }
  }
  return [...allowed];
}

/** The settings as `rushes_under_unit` reads them. */
export function settingsToApply(settings = serviceSettings()) {
  const filter = settings.filter(([directive]) => directive === 'SystemCallFilter').map(([, value]) => value);
  const others = settings.filter(([directive]) => directive !== 'SystemCallFilter' && !notApplied.has(directive));
  const lines = others.map(([directive, value]) => `${directive}=${value}`);
  return [...lines, `SystemCallFilter=${allowedCalls(filter).join(' ')}`].join('\n') + '\n';
}

/** What `systemd-analyze security` says of a unit: 0 (confined) to 10. */
export function exposure(file = unitFile) {
  const text = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], { encoding: 'utf8' });
  return Number(/Overall exposure level for \S+: ([\d.]+)/.exec(text)[1]);
}
