import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../build/bundle.ts';
import { Metrics } from '../../src/adapters/metrics.ts';
import type { StatusDocument } from '../../src/protocol/status.ts';
import { asked, queries } from '../dashboard/definition.ts';
import { workspace } from '../e2e/daemon.ts';
import { has } from '../support/has.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const rulesFile = 'deploy/prometheus/figd.rules.yml';
const rules = (parse(read(rulesFile)) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

/** The series that figd tells, as Prometheus names them. */
function known(): ReadonlySet<string> {
  const { registry } = new Metrics(
    () => ({}) as StatusDocument,
    () => 0,
  );
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  return new Set(['up', ...names.flatMap((name) => [name, `${name}_bucket`])]);
}

/** The metrics that an expression names. */
function named(expression: string): readonly string[] {
  return expression.replaceAll(/\{[^}]*\}/g, '').match(/\b(figd|process|nodejs)_\w+|\bup\b/g) ?? [];
}

it.each(rules)('$alert is about metrics that there are', ({ expr }) => {
  expect(named(expr).length).toBeGreaterThan(0);
  expect(named(expr).filter((name) => !known().has(name))).toEqual([]);
});

it.each(queries)('the panel "%s" shows metrics that there are', (_, expr) => {
  expect(named(expr).length).toBeGreaterThan(0);
  expect(named(expr).filter((name) => !known().has(name))).toEqual([]);
});

it('every metric of figd is shown', () => {
  const shown = new Set(queries.flatMap(([, expr]) => named(expr)));
  const own = [...known()].filter((name) => name.startsWith('figd_') && !name.endsWith('_bucket'));
  const unseen = own.filter((name) => !shown.has(name) && !shown.has(`${name}_bucket`));
  expect(unseen).toEqual([]);
});

it('every alert links to a section of docs/operations.md that says what to do, and every such section is of one', () => {
  const [, alerts = ''] = read('docs/operations.md').split('\n## Alerts\n');
  const sections = [...(alerts.split('\n## ')[0] ?? '').matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(sections.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  for (const { alert, annotations } of rules) {
    const page = 'file:///usr/share/doc/figd/operations.md';
    expect(annotations['runbook_url']).toBe(`${page}#${alert.toLowerCase()}`);
    expect(annotations['summary']).toMatch(/^\w/);
  }
});

describe.skipIf(!has('promtool', 'nobody tries the alert rules'))('promtool', () => {
  it.each([
    ['finds no mistake in the rules', ['check', 'rules', rulesFile]],
    ['has each alert fire when it should, and not otherwise', ['test', 'rules', 'test/deploy/figd.rules.test.yml']],
  ])('%s', (_, args) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: root, encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  });

  it('can read what the dashboard asks', async () => {
    await using place = await workspace();
    const file = join(place.path, 'dashboard.yml');
    const variables = { instance: 'localhost:9464', scrapeSeconds: 15, stepSeconds: 15 };
    const rules = queries.map(([, expr], index) => ({ record: `query_${index}`, expr: asked(expr, variables) }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  });
});
