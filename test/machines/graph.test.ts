import { describe, expect, test } from 'vitest';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { toDirectedGraph } from 'xstate/graph';
import { actionsAround, delaysOf, type Edge, edgesFrom, machines, statesOf } from './support/chart.ts';

/** With a state, everything it is inside of and everything it starts in. */
function entered(node: AnyStateNode): readonly AnyStateNode[] {
  const above: AnyStateNode[] = [];
  for (let each = node.parent; each !== undefined; each = each.parent) above.push(each);
  return [...above, ...startedIn(node)];
}

function startedIn(node: AnyStateNode): readonly AnyStateNode[] {
  if (node.type === 'parallel') return [node, ...Object.values(node.states).flatMap(startedIn)];
  return node.type === 'compound' ? [node, ...node.initial.target.flatMap(startedIn)] : [node];
}

function reachable(machine: AnyStateMachine): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...startedIn(machine.root)];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node.id)) continue;
    found.add(node.id);
    open.push(...edgesFrom(node).flatMap(({ target }) => (target === null ? [] : entered(target))));
  }
  return found;
}

/** Transitions of the state itself or of anything it is inside of. */
function waysOut(node: AnyStateNode): readonly Edge[] {
  const own = edgesFrom(node).filter(({ target }) => target !== null && target !== node);
  return node.parent === undefined ? own : [...own, ...waysOut(node.parent)];
}

const known = (implementations: object): readonly string[] => Object.keys(implementations).sort();
const used = (names: Iterable<string>): readonly string[] => [...new Set(names)].sort();

/** The sockets live as long as their session. A machine that crashes is fatal to the process, so nobody handles it. */
const notPromises: Readonly<Record<string, readonly string[]>> = {
  sockets: ['error'],
  token: [],
  session: ['done'],
  reconcile: [],
};

describe.each(Object.entries(machines))('the chart of the %s', (_, machine) => {
  const states = statesOf(machine);
  const edges = states.flatMap(edgesFrom);

  test('has no state that is never reached', () => {
    expect(states.filter(({ id }) => !reachable(machine).has(id)).map(({ id }) => id)).toEqual([]);
  });

  test('has no dead end but its final state', () => {
    // A state that holds others is left from within them.
    const dead = states.filter((node) => node.type === 'atomic' && waysOut(node).length === 0);
    expect(dead.map(({ id }) => id)).toEqual([]);
  });

  test('has no state that only waits for its own children and has none', () => {
    const empty = states.filter((node) => node.type === 'compound' && node.initial.target.length === 0);
    expect(empty.map(({ id }) => id)).toEqual([]);
  });

  test('leads to states of its own only', () => {
    const strangers = edges.filter(({ target }) => target !== null && !states.includes(target));
    expect(strangers.map(({ source, target }) => `${source.id} → ${target?.id}`)).toEqual([]);
  });

  test('uses every guard its setup knows, and no other', () => {
    const named = used(edges.flatMap(({ guard }) => guard ?? []));
    expect(named).toEqual(known(machine.implementations.guards));
  });

  test('uses every action its setup knows, and no other', () => {
    const named = used([...edges.flatMap(({ actions }) => actions), ...states.flatMap(actionsAround)]);
    expect(named).toEqual(known(machine.implementations.actions));
  });

  test('uses every delay its setup knows, and no other', () => {
    expect(used(states.flatMap(delaysOf))).toEqual(known(machine.implementations.delays));
  });

  test('uses every actor its setup knows, and no other', () => {
    const named = used(states.flatMap(({ invoke }) => invoke.map(({ src }) => String(src))));
    expect(named).toEqual(known(machine.implementations.actors));
  });

  test('goes on after every promise it awaits, kept or broken', () => {
    for (const node of states) {
      for (const { src } of node.invoke) {
        const handled = edgesFrom(node).flatMap(({ trigger }) =>
          (trigger.kind === 'done' || trigger.kind === 'error') && trigger.name === src ? trigger.kind : [],
        );
        expect([node.id, src, used(handled)]).toEqual([node.id, src, notPromises[String(src)] ?? ['done', 'error']]);
      }
    }
  });

  test('is the graph that xstate itself sees', () => {
    const { children, edges: own } = toDirectedGraph(machine);
    type Node = { readonly id: string; readonly children: readonly Node[]; readonly edges: readonly object[] };
    const count = (node: Node): readonly [string, number][] => [
      [node.id, node.edges.length],
      ...node.children.flatMap(count),
    ];
    const theirs = [[machine.id, own.length], ...children.flatMap((child) => count(child as unknown as Node))];
    const ours = states.map((node) => [
      node.id,
      edgesFrom(node).filter(({ trigger }) => trigger.kind !== 'always').length,
    ]);
    expect(ours).toEqual(theirs);
  });
});
