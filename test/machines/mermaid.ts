/**
 * The diagrams in docs/statecharts.md, drawn from the machines themselves.
 * `node test/machines/mermaid.ts --write` brings the document up to date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { type Edge, edgesFrom, machines, statesOf } from './support/chart.ts';

export const document = new URL('../../docs/statecharts.md', import.meta.url);
export const howToRegenerate = 'node test/machines/mermaid.ts --write';

/** Mermaid's names know no blanks: each state has an alias, and its own name for a label. */
export const aliasOf = (node: AnyStateNode): string => node.id.replace(/\W+/g, '_');

function triggerText({ trigger }: Edge): string {
  if (trigger.kind === 'always') return '';
  if (trigger.kind === 'delay') return `${trigger.name.startsWith('until ') ? 'waited' : 'after'} ${trigger.name}`;
  if (trigger.kind === 'done') return `${trigger.name} done`;
  return trigger.kind === 'error' ? `${trigger.name} failed` : trigger.name;
}

const pathTo = (node: AnyStateNode): readonly AnyStateNode[] =>
  node.parent === undefined ? [node] : [...pathTo(node.parent), node];

/**
 * Draws a transition in the innermost frame that holds both ends, since Mermaid has no arrows across a frame: one that
 * leaves or enters a frame starts or ends at the frame, and says in which state it really does.
 */
function edgeOf(edge: Edge & { readonly target: AnyStateNode }): {
  readonly frame: AnyStateNode;
  readonly line: string;
} {
  const from = pathTo(edge.source);
  const to = pathTo(edge.target);
  const depth = from.findIndex((node, index) => node !== to[index] || node === edge.source || node === edge.target);
  const frame = from[Math.max(depth, 1) - 1] ?? edge.source;
  const [start = edge.source, end = edge.target] = [from[depth], to[depth]];
  const label = [
    triggerText(edge),
    edge.guard === null ? '' : `[${edge.guard}]`,
    start === edge.source ? '' : `in ${edge.source.key}`,
    end === edge.target ? '' : `to ${edge.target.key}`,
  ].filter((part) => part !== '');
  const text = label.length === 0 ? '' : ` : ${label.join(' ')}`;
  return { frame, line: `${aliasOf(start)} --> ${aliasOf(end)}${text}` };
}

/** A transition that changes no state is nothing to be seen here. */
const drawn = (machine: AnyStateMachine) =>
  statesOf(machine)
    .flatMap(edgesFrom)
    .flatMap((edge) => (edge.target === null ? [] : [{ ...edge, target: edge.target }]));

function stateLines(node: AnyStateNode, edges: ReturnType<typeof edgeOf>[]): string[] {
  const head = `state "${node.key}" as ${aliasOf(node)}`;
  const inside = insideLines(node, edges);
  return inside.length === 0 ? [head] : [`${head} {`, ...inside.map((line) => `  ${line}`), '}'];
}

function insideLines(node: AnyStateNode, edges: ReturnType<typeof edgeOf>[]): string[] {
  const children = Object.values(node.states);
  if (node.type === 'parallel') {
    return children.flatMap((region, index) => [...(index === 0 ? [] : ['--']), ...stateLines(region, edges)]);
  }
  if (children.length === 0) return [];
  return [
    ...node.initial.target.map((target) => `[*] --> ${aliasOf(target)}`),
    ...children.flatMap((child) => stateLines(child, edges)),
    ...edges.flatMap(({ frame, line }) => (frame === node ? [line] : [])),
    ...children.flatMap((child) => (child.type === 'final' ? [`${aliasOf(child)} --> [*]`] : [])),
  ];
}

/** One machine as a Mermaid stateDiagram-v2. */
export function diagramOf(machine: AnyStateMachine): string {
  const { root } = machine;
  const all = drawn(machine);
  // What holds in every state starts at a state of that name: an arrow from each would hide the rest.
  const anywhere = all
    .filter(({ source }) => source === root)
    .map((edge) => {
      return `${aliasOf(root)} --> ${aliasOf(edge.target)} : ${triggerText(edge)}`;
    });
  const inner = all.filter(({ source }) => source !== root).map(edgeOf);
  const lines = [
    ...(anywhere.length === 0 ? [] : [`state "(in any state)" as ${aliasOf(root)}`]),
    ...insideLines(root, inner),
    ...anywhere,
  ];
  return ['stateDiagram-v2', ...lines.map((line) => `  ${line}`)].join('\n');
}

const block = (name: string): RegExp => new RegExp(`(<!-- chart: ${name} -->\n)[^]*?(<!-- end of chart -->)`);

/** The document with every diagram as the machines have it. @throws where a diagram has no place in it */
export function withDiagrams(text: string): string {
  return Object.entries(machines).reduce((drawn, [name, machine]) => {
    if (!block(name).test(drawn)) throw new Error(`docs/statecharts.md has no place for the chart of the ${name}`);
    return drawn.replace(block(name), (_, start: string, end: string) => {
      return `${start}\`\`\`mermaid\n${diagramOf(machine)}\n\`\`\`\n${end}`;
    });
  }, text);
}

if (import.meta.main && process.argv.includes('--write')) {
  await writeFile(document, withDiagrams(await readFile(document, 'utf8')));
}
