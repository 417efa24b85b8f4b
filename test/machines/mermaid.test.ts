import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { aliasOf, diagramOf, document, howToRegenerate, withDiagrams } from './mermaid.ts';
import { machines, statesOf } from './support/chart.ts';

test('docs/statecharts.md shows the machines as they are', async () => {
  const text = await readFile(document, 'utf8');
  expect(text, `the charts have drifted from the code; run \`${howToRegenerate}\``).toBe(withDiagrams(text));
});

test.each(Object.entries(machines))(
  'the diagram of the %s names every state once and only aliases without blanks',
  (_, machine) => {
    const lines = diagramOf(machine)
      .split('\n')
      .map((line) => line.trim());
    for (const node of statesOf(machine)) {
      const named = `state "${node.key}" as ${aliasOf(node)}`;
      if (node.parent !== undefined) expect(lines.filter((line) => line.replace(/ \{$/, '') === named)).toHaveLength(1);
    }
    const odd = lines
      .slice(1)
      .filter((line) => !/^(state "[^"]+" as \w+( \{)?|(\w+|\[\*\]) --> (\w+|\[\*\])( : [^:;]+)?|\}|--)$/.test(line));
    expect(odd).toEqual([]);
  },
);
