import { expect, it } from 'vitest';
import { Agents } from '../../src/adapters/agents.ts';

it('keeps its connections while the time to connect stays, and makes others by the new time when it changes', async () => {
  let connectTimeout = 1_000;
  const agents = new Agents(() => connectTimeout, null, {});
  const first = agents.current;
  expect(agents.current).toBe(first);
  connectTimeout = 2_000;
  const second = agents.current;
  expect(second).not.toBe(first);
  expect(first.destroyed).toBe(false);
  await agents.destroy();
  expect([first.destroyed, second.destroyed]).toEqual([true, true]);
});
